/**
 * Measures training recipes on the embedded model, in Node: each line of the
 * table is one whole run on one writer. Settings are given as JSON objects that
 * override the default recipe.
 *
 *     npm run recipe -- --text FILE_OR_SAMPLE [--text …] '{"learningRate":0.003}' '{"epochs":3}'
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { countWords } from "../../lib/data/words";
import { RunControl } from "../../lib/train/loop";
import { EMBEDDED_MODEL_ID, openModel } from "../../lib/train/model/embedded";
import { openNode } from "../../lib/train/runtime/node";
import { defaultConfig } from "../../lib/train/sft/recipes";
import { runSft } from "../../lib/train/sft/run";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { text: { type: "string", multiple: true }, threads: { type: "string", default: "2" }, samples: { type: "boolean", default: false } } });
const fromDisk = (url: string) => Promise.resolve(new Response(new Uint8Array(readFileSync(url))));
const model = await openModel(resolve("public/models"), EMBEDDED_MODEL_ID, fromDisk);
const backend = openNode(Number(values.threads));

function documentsOf(text: string): { id: string; text: string }[] {
  if (text.endsWith(".json")) {
    const { pieces } = JSON.parse(readFileSync(text, "utf8")) as { pieces: { text: string }[] };
    return pieces.map((piece, i) => ({ id: String(i), text: piece.text }));
  }
  return [{ id: text, text: readFileSync(text, "utf8") }];
}

for (const setting of positionals.length > 0 ? positionals : ["{}"]) {
  for (const text of values.text ?? ["public/samples/allotment.json", "public/samples/letters.json"]) {
    const documents = documentsOf(text);
    const base = defaultConfig(model.entry.parameters, documents.reduce((n, d) => n + countWords(d.text), 0));
    const override = JSON.parse(setting) as Partial<typeof base> & { lora?: Partial<typeof base.lora> };
    const config = { ...base, ...override, lora: { ...base.lora, ...override.lora } };
    const start = performance.now();
    const result = await runSft(backend, model, documents, 1, config, new RunControl(), values.samples ? { sample: (done, _, t) => console.error(done, JSON.stringify(t)) } : {});
    const { base: before, tuned: after } = result.report;
    console.log(JSON.stringify({
      text: text.split("/").pop(), setting, steps: result.steps, tokens: result.tokens, bestStep: result.bestStep, testTokens: before.tokens,
      before: +before.loss.toFixed(4), after: +after.loss.toFixed(4), drop: +(1 - after.loss / before.loss).toFixed(4), seconds: Math.round((performance.now() - start) / 1000),
    }));
  }
}
