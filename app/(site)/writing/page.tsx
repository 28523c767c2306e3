/** Writing: what was read, how it is divided, and the pieces themselves to read. */
import type { Metadata } from "next";
import { WritingScreen } from "../../writing/writing-screen";

export const metadata: Metadata = { title: "Writing" };

export default function WritingPage() {
  return <WritingScreen />;
}
