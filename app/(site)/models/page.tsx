/** Models: what a hand can be taught to; the one that comes with the site, and folders brought in. */
import type { Metadata } from "next";
import { ModelsScreen } from "../../models/models-screen";

export const metadata: Metadata = { title: "Models" };

export default function ModelsPage() {
  return <ModelsScreen />;
}
