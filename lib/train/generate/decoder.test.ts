/** Whole and streamed decoders, cache in plain memory and kept by the runtime, rows of different lengths read in pieces: the logits of one whole reading. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import type { ModelConfig } from "../model/config";
import type { AnyWeights } from "../model/groups";
import type { Storage } from "../model/held";
import { liveDeviceTensors } from "../runtime/device-tensor";
import { openNode } from "../runtime/node";
import { openSessions } from "../runtime/session";
import { narrowDevice } from "../testing/gpu";
import { asHeld, randomTokens } from "../testing/held";
import { referenceModel, REFERENCE_MODELS } from "../testing/reference";
import { randomLora, settings } from "../testing/tiny";
import type { KvCache } from "./cache";
import { logitsWidth, type Decoder, type DecoderSettings, type ReadyAdapter, type StepRow } from "./decoder";
import { StreamedDecoder } from "./streamed-decoder";
import { WholeDecoder } from "./whole-decoder";

const backend = openNode();
const { lora } = settings({ lora: { rank: 3, alpha: 5 } });
let before = { sessions: 0, tensors: 0 };
beforeEach(() => {
  before = { sessions: openSessions(), tensors: liveDeviceTensors() };
});
afterEach(() => expect({ sessions: openSessions(), tensors: liveDeviceTensors() }).toEqual(before));

function adapterFor(config: ModelConfig, tokens: readonly number[]): Map<string, Float32Array> {
  // Half of B: the whole of it makes attention so sharp that float32 itself is 1e-6 off.
  const adapter = new Map([...randomLora(config, lora, "decoder")].map(([key, data]) => [key, key.endsWith("lora_B") ? data.map((v) => v / 2) : data]));
  if (tokens.length > 0) adapter.set("tokens", randomTokens(config, tokens.length));
  if (tokens.length > 0 && !config.tieWordEmbeddings) adapter.set("tokens.head", randomTokens(config, tokens.length, "head"));
  return adapter;
}

/** Three rows in pieces: [base, adapted, adapted]; a piece without tokens stands still. */
const random = new Random("pieces");
const ids = (n: number) => Array.from({ length: n }, () => 1 + random.int(63));
const PIECES: number[][][] = [[ids(5), ids(1), ids(3)], [ids(1), ids(1), ids(1)], [ids(2), [], ids(4)], [ids(1), ids(1), []], [ids(1), ids(30), ids(1)]];
const ADAPTED = [false, true, true];

const rowsOf = (pieces: readonly (readonly number[])[]): StepRow[] => pieces.map((tokens, b) => ({ tokens, adapted: ADAPTED[b]! }));

/** Largest distance of logits, relative to the largest of them. */
function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  expect(a.length).toBe(b.length);
  return Math.max(...a.map((row, i) => {
    const finite = b[i]!.filter(Number.isFinite);
    expect(row.length).toBe(b[i]!.length);
    const largest = finite.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    return row.reduce((m, v, k) => (v === b[i]![k] ? m : Math.max(m, Math.abs(v - b[i]![k]!))), 0) / largest;
  }));
}

/** Logits after each piece of the rows that got tokens in it. */
async function inPieces(decoder: Decoder, adapter: ReadyAdapter): Promise<Float32Array[]> {
  const cache = decoder.newCache(3);
  const out: Float32Array[] = [];
  for (const pieces of PIECES) {
    const logits = await decoder.decode(rowsOf(pieces), cache, adapter);
    pieces.forEach((tokens, b) => void (tokens.length > 0 && out.push(logits[b]!)));
  }
  expect(cache.lengths).toEqual([0, 1, 2].map((b) => PIECES.flatMap((p) => p[b]!).length));
  cache.dispose();
  return out;
}

/** The same, each row alone and from its beginning. */
async function whole(decoder: Decoder, adapter: ReadyAdapter): Promise<Float32Array[]> {
  const out: Float32Array[] = [];
  const read: number[][] = [[], [], []];
  for (const pieces of PIECES) {
    for (const [b, tokens] of pieces.entries()) {
      if (tokens.length === 0) continue;
      read[b]!.push(...tokens);
      const cache = decoder.newCache(1);
      out.push((await decoder.decode([{ tokens: read[b]!, adapted: ADAPTED[b]! }], cache, adapter))[0]!);
      cache.dispose();
    }
  }
  return out;
}

async function using<T>(decoder: Decoder, tokens: readonly number[], use: (adapter: ReadyAdapter) => Promise<T>): Promise<T> {
  const adapter = await decoder.ready(adapterFor(decoder.config, tokens));
  try {
    return await use(adapter);
  } finally {
    adapter.dispose();
    await decoder.dispose();
  }
}

async function allWays(config: ModelConfig, weights: AnyWeights, tokens: readonly number[] = []): Promise<number[]> {
  const made: DecoderSettings = { lora, maxPositions: 48, tokens };
  const one = await WholeDecoder.create(backend, config, weights, made);
  const expected = await using(one, tokens, (adapter) => whole(one, adapter));
  const distances: number[] = [];
  for (const cache of ["fresh", "present"] as const) {
    for (const decoder of [await WholeDecoder.create(backend, config, weights, { ...made, cache }), await StreamedDecoder.create(backend, config, weights, { ...made, cache }, 4 * config.hiddenSize * 40)]) {
      distances.push(distance(await using(decoder, tokens, (adapter) => inPieces(decoder, adapter)), expected));
    }
  }
  return distances;
}

describe("decoders", () => {
  it.each(REFERENCE_MODELS)("give the logits of one whole reading, in pieces and in every way: %s", async (name) => {
    const { config, weights } = referenceModel(name);
    for (const d of await allWays(config, weights)) expect(d).toBeLessThan(1e-5);
  });

  it.each(["f16", "q8", "q4"] as Storage[])("with weights held as %s", async (storage) => {
    const { config, weights } = referenceModel("qwen2-tied");
    for (const d of await allWays(config, asHeld(config, weights, storage))) expect(d).toBeLessThan(1e-5);
  });

  it.each(["qwen2-tied", "qwen2-untied"])("with rows of the vocabulary of the adapter's own: %s", async (name) => {
    const { config, weights } = referenceModel(name);
    const tokens = [config.vocabSize + 1, 7, config.vocabSize];
    for (const d of await allWays(config, weights, tokens)) expect(d).toBeLessThan(1e-5);
    const decoder = await WholeDecoder.create(backend, config, weights, { lora, maxPositions: 16, tokens });
    await using(decoder, tokens, async (adapter) => {
      expect(logitsWidth(config, tokens)).toBe(config.vocabSize + 2);
      const cache = decoder.newCache(2);
      const [base, adapted] = await decoder.decode([{ tokens: [3, 7], adapted: false }, { tokens: [3, 7, config.vocabSize], adapted: true }], cache, adapter);
      expect([...base!.subarray(config.vocabSize)]).toEqual([-Infinity, -Infinity]);
      expect(adapted!.every(Number.isFinite)).toBe(true);
      await expect(decoder.decode([{ tokens: [config.vocabSize], adapted: false }], decoder.newCache(1), adapter)).rejects.toMatchObject({ code: "generate/token" });
      cache.dispose();
    });
  });

  it("that find no room on the device leave nothing there", async () => {
    const { config, weights } = referenceModel("qwen2-tied");
    const create = (room: number) => {
      const device = narrowDevice(room);
      return { device, decoder: StreamedDecoder.create(device, config, asHeld(config, weights, "q8"), { lora, maxPositions: 16, tokens: [], cache: "fresh" }, 4 * config.hiddenSize * 40) };
    };
    const enough = create(Infinity);
    await (await enough.decoder).dispose();
    expect(enough.device.made).toBe(0);
    for (const room of [0, 1, 5, 14, 25, 30]) {
      const narrow = create(room);
      await expect(narrow.decoder).rejects.toMatchObject({ code: "device/memory" });
      expect([narrow.device.made, liveDeviceTensors(), openSessions()], `room for ${room}`).toEqual([0, before.tensors, before.sessions]);
    }
  });

  it.each(["fresh", "present"] as const)("go on from picked, repeated and shortened rows (%s)", async (cacheOutput) => {
    const { config, weights } = referenceModel("qwen3-tied");
    const decoder = await WholeDecoder.create(backend, config, weights, { lora, maxPositions: 64, tokens: [], cache: cacheOutput });
    await using(decoder, [], async (adapter) => {
      const prompts = [ids(6), ids(2), ids(40)];
      const cache = decoder.newCache(3);
      await decoder.decode(rowsOf(prompts), cache, adapter);
      const read = async (tokens: readonly number[], adapted: boolean) => {
        const own: KvCache = decoder.newCache(1);
        const [logits] = await decoder.decode([{ tokens, adapted }], own, adapter);
        own.dispose();
        return logits!;
      };
      const picked = await cache.select([2, 0, 2], [3, 6, 35]);
      expect(picked.lengths).toEqual([3, 6, 35]);
      const logits = await decoder.decode([{ tokens: [5], adapted: true }, { tokens: [6, 7], adapted: false }, { tokens: [8], adapted: true }], picked, adapter);
      const expected = [await read([...prompts[2]!.slice(0, 3), 5], true), await read([...prompts[0]!, 6, 7], false), await read([...prompts[2]!.slice(0, 35), 8], true)];
      expect(distance(logits, expected)).toBeLessThan(1e-5);
      expect(distance(await decoder.decode(rowsOf([[9], [9], [9]]), cache, adapter), [await read([...prompts[0]!, 9], false), await read([...prompts[1]!, 9], true), await read([...prompts[2]!, 9], true)])).toBeLessThan(1e-5);
      picked.dispose();
      cache.dispose();
    });
  });
});
