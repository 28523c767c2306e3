/** Downloads: the one page that may ask the model hub. It stands by itself, without the site's header and without anything that opens writing. */
import type { Metadata } from "next";
import { HubScreen } from "./hub-screen";

export const metadata: Metadata = { title: "Downloads" };

export default function HubPage() {
  return <HubScreen />;
}
