/**
 * Takes the graphics device away in the middle of work, and sees what becomes
 * of the work, of what it held, and of the device opened next.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import type { DeviceReport } from "../../lib/store/types";
import { Generator } from "../../lib/train/generate/generator";
import { RunControl } from "../../lib/train/loop";
import type { ReadyModel } from "../../lib/train/model/embedded";
import type { TextTokenizer } from "../../lib/train/model/tokenizer";
import type { Backend } from "../../lib/train/runtime/backend";
import { openDevice } from "../../lib/train/runtime/device";
import { openSessions } from "../../lib/train/runtime/session";
import { openWebGpu } from "../../lib/train/runtime/web";
import { runSft } from "../../lib/train/sft/run";
import { devices } from "./probes";
import { mapOf, MAX_POSITIONS, type TinyCase } from "./tiny";

export type Work = "tokens" | "run";

export interface LossReport {
  /** What the work ended with; null where it went on or hung. */
  error: SerializedError | null;
  /** The backend's own word. */
  lost: string | null;
  openSessions: number;
  /** What is opened afterwards in the same worker when asked for a graphics processor; it is one only where its gradients are right. */
  afterwards: DeviceReport | null;
}

/** From the loss on; what is not over by then hangs. */
const PATIENCE_MS = 20_000;

const hangs = (): DuctusError => new DuctusError("app/hangs", "The work neither went on nor ended.");

export async function loseDeviceWhile(work: Work, reopen: boolean, tiny: TinyCase): Promise<LossReport> {
  const { backend } = await openWebGpu();
  const device = devices.at(-1)!;
  const error = await new Promise<SerializedError | null>((resolve) => {
    const takeAway = () => setTimeout(() => {
      device.destroy();
      setTimeout(() => resolve(serializeError(hangs())), PATIENCE_MS);
    }, 1); // a moment later, so that a run is under way
    WORKS[work](backend, tiny, takeAway).then(() => resolve(null), (thrown: unknown) => resolve(serializeError(thrown)));
  });
  const lost = await Promise.race([backend.lost, new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS))]);
  const open = openSessions();
  const afterwards = reopen ? (await openDevice("webgpu")).report : null;
  return { error, lost, openSessions: open, afterwards };
}

/** Each goes on until the device is gone; calls `begun` once it is well under way. */
const WORKS: Record<Work, (backend: Backend, tiny: TinyCase, begun: () => void) => Promise<void>> = {
  tokens: async (backend, tiny, begun) => {
    const generator = await Generator.create(backend, tiny.config, mapOf(tiny.weights), tiny.lora, MAX_POSITIONS);
    const rows = [{ promptIds: tiny.examples[0]!.ids, adapted: true, seed: 1 }];
    try {
      for (;;) {
        let written = 0;
        const onToken = () => void (++written === 5 && begun());
        await generator.generate(rows, { temperature: 1, topP: 1, maxNewTokens: 40, stopTokenIds: [], onToken }, mapOf(tiny.adapter));
      }
    } finally {
      await generator.dispose();
    }
  },
  run: async (backend, tiny, begun) => {
    const step = (done: number) => void (done === 2 && begun());
    await runSft(backend, readyModel(tiny), documents(), 1, { ...tiny.sft, epochs: 50 }, new RunControl(), { step });
  },
};

const FIRST = 32, LAST = 94;

/** Printable ASCII, one token a character; as much of a tokenizer as a run needs. */
const characters: TextTokenizer = {
  vocabSize: LAST + 2 - FIRST, eosTokenId: LAST + 1 - FIRST, padTokenId: 0, textPrefixIds: [], specialIds: new Set([0]),
  encode: (text) => Array.from(text, (c) => Math.min(LAST, Math.max(FIRST + 1, c.charCodeAt(0))) - FIRST),
  encodeChat: (messages) => characters.encode(messages.map((m) => m.content).join("|")).slice(-24),
  decode: (ids) => String.fromCharCode(...ids.map((id) => id + FIRST)),
  tokenId: () => undefined,
  stream: () => ({ push: () => "", finish: () => "" }),
};

function readyModel({ name, config, weights }: TinyCase): ReadyModel {
  const entry = { id: name } as ReadyModel["entry"]; // a run reads nothing of it
  return { entry, config, weights: mapOf(weights), tokenizer: characters, stopTokenIds: [characters.eosTokenId] };
}

function documents() {
  const words = ["soil", "rain", "bean", "fence", "rake", "slug", "early", "frost", "seed", "mild"];
  return Array.from({ length: 12 }, (_, i) => ({
    id: `d${i}`,
    text: Array.from({ length: 60 }, (__, j) => words[(i * 7 + j * j) % 10]! + (j % 9 === 8 ? "." : "")).join(" "),
  }));
}
