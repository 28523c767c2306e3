/**
 * Writes the adapters of ours that PEFT is to open, in the folder layout that
 * the product exports: `npx tsx tools/reference/ours.ts`, then `make.py --only
 * ours,added_tokens`, which has PEFT open them and stores the logits it gives.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { adapterToPeft, type PeftFolder } from "../../lib/train/adapter/peft";
import { infoOf, OUR_MODELS, OUR_TOKENS, ourAdapter, ourTokenAdapter, tokenInfoOf, type TokenModel } from "../../lib/train/testing/ours";

function write(path: string, contents: PeftFolder): void {
  const folder = new URL(path, import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(contents)) writeFileSync(new URL(name, folder), content as string | Uint8Array);
}

for (const model of OUR_MODELS) write(`data/ours/${model}/`, adapterToPeft(ourAdapter(model), infoOf(model)));
for (const model of Object.keys(OUR_TOKENS) as TokenModel[]) write(`data/added-tokens/${model}/ours/`, adapterToPeft(ourTokenAdapter(model), tokenInfoOf(model)));
