/** Take away: the adapter as a file, another one brought in, and everything deleted on request. */
import type { Metadata } from "next";
import { ShareScreen } from "./share-screen";

export const metadata: Metadata = { title: "Take away" };

export default function SharePage() {
  return <ShareScreen />;
}
