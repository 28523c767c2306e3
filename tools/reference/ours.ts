/**
 * Writes the adapters of ours that PEFT is to open, in the folder layout that
 * the product exports: `npx tsx tools/reference/ours.ts`, then `make.py --only
 * ours`, which has PEFT open them and stores the logits it gives.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { adapterToPeft } from "../../lib/train/adapter/peft";
import { infoOf, OUR_MODELS, ourAdapter } from "../../lib/train/testing/ours";

for (const model of OUR_MODELS) {
  const folder = new URL(`data/ours/${model}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(adapterToPeft(ourAdapter(model), infoOf(model)))) writeFileSync(new URL(name, folder), content as string | Uint8Array);
}
