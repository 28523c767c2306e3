/** Take away: the adapters of a hand as files, and others brought in. */
import type { Metadata } from "next";
import { ShareScreen } from "../../share/share-screen";

export const metadata: Metadata = { title: "Take away" };

export default function SharePage() {
  return <ShareScreen />;
}
