/** Settings: what is stored, saved and deleted, the look, the device, and what this page has asked for. */
import type { Metadata } from "next";
import { About } from "../../settings/about";
import { SettingsScreen } from "../../settings/settings-screen";

export const metadata: Metadata = { title: "Settings" };

export default function SettingsPage() {
  return <SettingsScreen about={<About />} />;
}
