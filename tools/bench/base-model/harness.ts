/** The engine in a fresh worker that opens a model and writes its first token, as the site's writing worker does. */
import { expose } from "comlink";
import type { Outcome } from "../../../e2e/engine/harness";
import { serializeError } from "../../../lib/core/errors";
import { toMessages } from "../../../lib/data/forms";
import { Generator } from "../../../lib/train/generate/generator";
import { openModel } from "../../../lib/train/model/embedded";
import { openDevice } from "../../../lib/train/runtime/device";

export interface Loaded {
  threads: number;
  /** Milliseconds from the call: the model read and checked, the device opened, the first token drawn. */
  modelMs: number;
  deviceMs: number;
  firstTokenMs: number;
}

/** Room for a conversation, as the site gives it. */
const MAX_POSITIONS = 1024;

async function load(baseUrl: string, id: string): Promise<Loaded> {
  const start = performance.now();
  const model = await openModel(baseUrl, id, fetch);
  const modelMs = performance.now() - start;
  const { backend } = await openDevice("wasm");
  const deviceMs = performance.now() - start;
  const generator = await Generator.create(backend, model.config, model.weights, null, MAX_POSITIONS);
  const promptIds = model.tokenizer.encodeChat(toMessages({ form: "keywords", words: ["harbour", "letter", "winter", "mother"] }), true);
  const drawn: number[] = []; // when
  await generator.generate([{ promptIds, adapted: false, seed: 1 }], { temperature: 0.7, maxNewTokens: 1, stopTokenIds: [], onToken: () => void drawn.push(performance.now() - start) });
  await generator.dispose();
  const [firstTokenMs] = drawn;
  if (firstTokenMs === undefined) throw new Error("Nothing was written.");
  return { threads: backend.threads, modelMs, deviceMs, firstTokenMs };
}

const harness = {
  load: async (baseUrl: string, id: string): Promise<Outcome<Loaded>> => {
    try {
      return { value: await load(baseUrl, id) };
    } catch (error) {
      return { error: serializeError(error) };
    }
  },
};

export type LoadHarness = typeof harness;
expose(harness);
