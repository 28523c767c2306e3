/** Compare: the untaught model and the taught one, on facing pages. */
import type { Metadata } from "next";
import { CompareScreen } from "../../compare/compare-screen";

export const metadata: Metadata = { title: "Compare" };

export default function ComparePage() {
  return <CompareScreen />;
}
