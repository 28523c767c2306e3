/**
 * Autoregressive generation with a key-value cache. A batch holds prompts of
 * different lengths (padded on the left, padding masked) and, since the adapter
 * is applied unmerged with a scale for each row, base and tuned side by side.
 * Each row has its own seeded stream of random numbers: what it writes does not
 * depend on its neighbours, rounding aside.
 */
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import type { ModelConfig } from "../model/config";
import { embedTokens } from "../execution/embed";
import { packedFeeds } from "../execution/whole";
import type { AnyWeights } from "../model/groups";
import { adapterShapes, loraScale, type LoraShape } from "../model/lora";
import { MASKED } from "../model/qwen";
import type { Backend } from "../runtime/backend";
import { f32, i32, i64, Session, type NdArray } from "../runtime/session";
import { forbid } from "./banned";
import { generationGraph } from "./graphs";
import { sampleToken, type SamplerOptions } from "./sampler";

export interface GenerationRow {
  /** Prompt tokens, at least one. */
  promptIds: readonly number[];
  /** Whether the adapter takes part in this row. */
  adapted: boolean;
  seed: number | string;
}

export interface GenerationOptions extends SamplerOptions {
  maxNewTokens: number;
  stopTokenIds: readonly number[];
  /** Token sequences that are never completed, see banned.ts. */
  banned?: readonly (readonly number[])[];
  /** Asked between tokens; true ends all rows. */
  stopped?: () => boolean;
  /** Called for every token as it is drawn (not for the stop token); awaited, so that a slow reader is not flooded. */
  onToken?: (row: number, token: number) => void | Promise<void>;
}

export interface GeneratedRow {
  tokens: number[];
  stop: "end" | "length" | "stopped";
}

export class Generator {
  private constructor(
    private readonly model: ModelConfig,
    private readonly weights: AnyWeights,
    private readonly lora: LoraShape | null,
    private readonly session: Session,
    private readonly maxPositions: number,
  ) {}

  /** @param lora shape of the adapters that will be used; null for the base alone */
  static async create(backend: Backend, model: ModelConfig, weights: AnyWeights, lora: LoraShape | null, maxPositions: number): Promise<Generator> {
    const positions = Math.min(maxPositions, model.maxPositions);
    return new Generator(model, weights, lora, await Session.create(backend, generationGraph(model, lora, weights, { maxPositions: positions })), positions);
  }

  /**
   * @param adapter needed where a row is adapted; tensors by name, see model/lora.ts
   * @throws DuctusError `generate/too-long` when a prompt leaves no room
   */
  async generate(rows: readonly GenerationRow[], options: GenerationOptions, adapter: ReadonlyMap<string, Float32Array> | null = null): Promise<GeneratedRow[]> {
    const batch = rows.length;
    const longest = Math.max(...rows.map((r) => r.promptIds.length));
    if (longest >= this.maxPositions || rows.some((r) => r.promptIds.length === 0)) {
      throw new DuctusError("generate/too-long", "The text to go on from is too long for this model.", "Use a shorter passage.");
    }
    const limit = Math.min(options.maxNewTokens, this.maxPositions - longest);
    const randoms = rows.map((r) => new Random(`sample-${r.seed}`));
    const pads = rows.map((r) => longest - r.promptIds.length);
    const results: GeneratedRow[] = rows.map(() => ({ tokens: [], stop: "length" }));
    const live = new Set(rows.keys());
    let cache = this.emptyCache(batch);
    let fresh: readonly (readonly number[])[] = rows.map((r, b) => [...Array<number>(pads[b]!).fill(0), ...r.promptIds]);
    let past = 0;
    for (let drawn = 0; drawn < limit && live.size > 0; drawn++) {
      if (options.stopped?.()) {
        for (const b of live) results[b]!.stop = "stopped";
        break;
      }
      const { logits, ...present } = await this.session.run({
        ...this.stepFeeds(fresh, past, pads), ...this.adapterFeeds(rows, fresh[0]!.length, adapter), ...cache,
      });
      past += fresh[0]!.length;
      cache = Object.fromEntries(Object.entries(present).map(([name, value]) => [name.replace("present.", "past."), value]));
      const vocab = this.model.vocabSize;
      const next = rows.map(() => [0]); // ended rows are fed any token; nobody reads what follows
      for (const b of [...live]) {
        const row = (logits!.data as Float32Array).subarray(b * vocab, (b + 1) * vocab); // [vocab]
        if (options.banned) forbid(row, results[b]!.tokens, options.banned);
        const token = sampleToken(row, options, randoms[b]!);
        if (options.stopTokenIds.includes(token)) {
          results[b]!.stop = "end";
          live.delete(b);
        } else {
          results[b]!.tokens.push(token);
          next[b] = [token];
          await options.onToken?.(b, token);
        }
      }
      fresh = next;
    }
    return results;
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }

  /** @param fresh new tokens of each row, all of one length T */
  private stepFeeds(fresh: readonly (readonly number[])[], past: number, pads: readonly number[]): Record<string, NdArray> {
    const batch = fresh.length;
    const seq = fresh[0]!.length;
    const keys = past + seq;
    const mask = new Float32Array(batch * seq * keys); // [batch, 1, seq, keys]
    const positions = new BigInt64Array(batch * seq); // [batch, seq]
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t < seq; t++) {
        const row = (b * seq + t) * keys;
        positions[b * seq + t] = BigInt(Math.max(0, past + t - pads[b]!));
        mask.fill(MASKED, row, row + pads[b]!);
        mask.fill(MASKED, row + past + t + 1, row + keys);
      }
    }
    return {
      embeddings: f32(embedTokens(this.model, this.weights, fresh.flat()), [batch * seq, this.model.hiddenSize]),
      positions: i64(positions, [batch, seq]),
      mask: f32(mask, [batch, 1, seq, keys]),
      last: i32(Int32Array.from(fresh, (_, b) => b * seq + seq - 1), [batch]),
    };
  }

  private adapterFeeds(rows: readonly GenerationRow[], seq: number, adapter: ReadonlyMap<string, Float32Array> | null): Record<string, NdArray> {
    if (!this.lora) return {};
    const scale = loraScale(this.lora);
    const scales = Float32Array.from({ length: rows.length * seq }, (_, i) => (rows[Math.floor(i / seq)]!.adapted ? scale : 0)); // [batch · seq, 1]
    const whole = new Map<string, Float32Array>();
    for (const [name, shape] of adapterShapes(this.model, this.lora)) {
      const data = adapter?.get(name);
      if (!data && rows.some((r) => r.adapted)) throw new DuctusError("generate/no-adapter", `The adapter lacks "${name}".`);
      whole.set(name, data ?? new Float32Array(shape[0] * shape[1]));
    }
    const feeds: Record<string, NdArray> = { adapterScale: f32(scales, [scales.length, 1]), ...packedFeeds(this.model, this.lora, whole) };
    return feeds;
  }

  private emptyCache(batch: number): Record<string, NdArray> {
    const shape = [batch, this.model.numKeyValueHeads, 0, this.model.headDim]; // of each layer's keys and values
    const layers = Array.from({ length: this.model.numLayers }, (_, layer) => layer);
    const names = layers.flatMap((layer) => [`past.${layer}.key`, `past.${layer}.value`]);
    return Object.fromEntries(names.map((name) => [name, f32(new Float32Array(0), shape)]));
  }
}
