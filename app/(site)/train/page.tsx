/** Train: one button, and then something to read while the model learns. */
import type { Metadata } from "next";
import { TrainScreen } from "../../train/train-screen";

export const metadata: Metadata = { title: "Train" };

export default function TrainPage() {
  return <TrainScreen />;
}
