/** The whole model as one graph with the weights inside; quickest while it fits. */
import type { AdapterTensors } from "../execution/types";
import type { ModelConfig } from "../model/config";
import { graphWeights, type AnyWeights } from "../model/groups";
import type { Backend } from "../runtime/backend";
import { f32, Session, type Feeds } from "../runtime/session";
import type { KvCache } from "./cache";
import { cacheOutputOf, newCache, readyAdapter, rowLogits, stepFeeds, targetOf, type Decoder, type DecoderSettings, type ReadyAdapter, type StepRow } from "./decoder";
import { generationGraph, pickGraph, type CacheOutput } from "./graphs";

/** Larger weights go to the runtime beside the model, whose own form has a limit of 2 GB. */
const EXTERNAL_FROM_BYTES = 256e6;
const EXTERNAL_OVER_BYTES = 1 << 20;

/** Weights up to this size are copied into the layout that products of few rows like best: a fifth less time for a step on wasm. */
const PREPACK_UP_TO_BYTES = 128e6;

export class WholeDecoder implements Decoder {
  private constructor(
    private readonly backend: Backend,
    readonly config: ModelConfig,
    private readonly weights: AnyWeights,
    readonly settings: DecoderSettings,
    private readonly session: Session,
    /** Where the cache stays on the device. */
    private readonly picker: Session | null,
    private readonly output: CacheOutput,
  ) {}

  static async create(backend: Backend, config: ModelConfig, weights: AnyWeights, settings: DecoderSettings): Promise<WholeDecoder> {
    const { lora, maxPositions, tokens } = settings;
    const bytes = [...graphWeights(config, weights).values()].reduce((sum, data) => sum + data.byteLength, 0);
    const output = cacheOutputOf(backend, settings);
    const model = generationGraph(config, lora, weights, {
      maxPositions, tokens: tokens.length, target: targetOf(backend), cache: output, ...(bytes > EXTERNAL_FROM_BYTES ? { externalOver: EXTERNAL_OVER_BYTES } : {}),
    });
    const keep = output === "present" ? model.outputs.map((port) => port.name).filter((name) => name !== "logits") : [];
    const session = await Session.create(backend, model, { keep, ...(bytes <= PREPACK_UP_TO_BYTES ? { prepack: true } : {}) });
    try {
      const picker = output === "present" ? await Session.create(backend, pickGraph(config), { keep: ["picked"] }) : null;
      return new WholeDecoder(backend, config, weights, settings, session, picker, output);
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  newCache(rows: number): KvCache {
    return newCache(this.config, this.picker, rows);
  }

  ready(adapter: AdapterTensors | null): Promise<ReadyAdapter> {
    return readyAdapter(this.backend, this.config, this.weights, this.settings, adapter, (layer) => `layers.${layer}`);
  }

  async decode(rows: readonly StepRow[], cache: KvCache, adapter: ReadyAdapter): Promise<Float32Array[]> {
    const { config, settings: { tokens } } = this;
    const { vocabSize, numLayers } = config;
    const { counts, seq, embeddings, shared, last } = stepFeeds(config, this.weights, this.settings, rows, cache, adapter);
    const feeds: Record<string, Feeds[string]> = { embeddings, last, ...shared, ...Object.assign({}, ...adapter.layers) as Feeds };
    if (adapter.head) Object.assign(feeds, { tokens: adapter.head, replaced: f32(new Float32Array(vocabSize), [vocabSize]) });
    for (let layer = 0; layer < numLayers; layer++) {
      for (const kind of ["key", "value"] as const) feeds[`past.${layer}.${kind}`] = cache.fed(layer, kind);
    }
    const { host, device } = await this.session.compute(feeds);
    for (let layer = 0; layer < numLayers; layer++) {
      for (const kind of ["key", "value"] as const) {
        const name = `${this.output}.${layer}.${kind}`;
        cache.put(layer, kind, device[name] ?? host[name]!, counts);
      }
    }
    cache.advance(counts, seq);
    const logits = host["logits"]!.data as Float32Array; // [B, vocab + count]
    const width = vocabSize + tokens.length;
    const part = (from: number, to: number) => (row: number) => logits.subarray(row * width + from, row * width + to);
    return rowLogits(config, tokens, rows, part(0, vocabSize), tokens.length > 0 ? part(vocabSize, width) : null);
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
    await this.picker?.dispose();
  }
}
