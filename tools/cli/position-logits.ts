/**
 * The logits of every position of a text, in order. The text passes the model in
 * pieces with a key-value cache, so that the logits of a long text over a large
 * vocabulary are never in memory together.
 */
import { packedFeeds } from "../../lib/train/execution/whole";
import { embedTokens } from "../../lib/train/execution/embed";
import { flatAdapter } from "../../lib/train/adapter/tensors";
import type { LoraAdapter } from "../../lib/train/adapter/types";
import { generationGraph } from "../../lib/train/generate/graphs";
import type { ModelConfig } from "../../lib/train/model/config";
import type { AnyWeights } from "../../lib/train/model/groups";
import { loraScale } from "../../lib/train/model/lora";
import { MASKED } from "../../lib/train/model/qwen";
import type { Backend } from "../../lib/train/runtime/backend";
import { f32, i32, i64, Session, type NdArray } from "../../lib/train/runtime/session";
import { EXTERNAL_OVER_BYTES } from "./scorer";

/** Numbers that the logits of a piece may take. */
const PIECE_LOGITS = 1 << 24;
const PIECE_POSITIONS = 256;

/**
 * @param ids at least one, at most config.maxPositions
 * @yields logits [vocab], a view that is good until the next
 */
export async function* positionLogits(backend: Backend, config: ModelConfig, weights: AnyWeights, adapter: LoraAdapter | null, ids: readonly number[]): AsyncGenerator<Float32Array> {
  const session = await Session.create(backend, generationGraph(config, adapter, weights, { maxPositions: ids.length, target: "cpu", externalOver: EXTERNAL_OVER_BYTES }));
  try {
    const fixed = adapter ? packedFeeds(config, adapter, flatAdapter(adapter)) : {};
    const piece = Math.max(1, Math.min(PIECE_POSITIONS, Math.floor(PIECE_LOGITS / config.vocabSize)));
    let cache = emptyCache(config);
    for (let past = 0; past < ids.length; past += piece) {
      const fresh = ids.slice(past, past + piece);
      const scale = adapter ? { adapterScale: f32(new Float32Array(fresh.length).fill(loraScale(adapter)), [fresh.length, 1]) } : {};
      const embeddings = f32(embedTokens(config, weights, fresh), [fresh.length, config.hiddenSize]);
      const { logits, ...present } = await session.run({ embeddings, ...positionFeeds(past, fresh.length), ...scale, ...fixed, ...cache });
      cache = Object.fromEntries(Object.entries(present).map(([name, value]) => [name.replace("present.", "past."), value]));
      const data = logits!.data as Float32Array; // [fresh, vocab]
      for (let t = 0; t < fresh.length; t++) yield data.subarray(t * config.vocabSize, (t + 1) * config.vocabSize);
    }
  } finally {
    await session.dispose();
  }
}

function positionFeeds(past: number, fresh: number): Record<string, NdArray> {
  const keys = past + fresh;
  const mask = new Float32Array(fresh * keys); // [1, 1, fresh, keys]
  for (let t = 0; t < fresh; t++) mask.fill(MASKED, t * keys + past + t + 1, (t + 1) * keys);
  return {
    positions: i64(BigInt64Array.from({ length: fresh }, (_, t) => BigInt(past + t)), [1, fresh]),
    mask: f32(mask, [1, 1, fresh, keys]),
    last: i32(Int32Array.from({ length: fresh }, (_, t) => t), [fresh]),
  };
}

function emptyCache(config: ModelConfig): Record<string, NdArray> {
  const empty = () => f32(new Float32Array(0), [1, config.numKeyValueHeads, 0, config.headDim]); // a layer's keys or values
  return Object.fromEntries(Array.from({ length: config.numLayers }, (_, layer) => [[`past.${layer}.key`, empty()], [`past.${layer}.value`, empty()]] as const).flat());
}
