/** The loss of each scored token of a batch, by a graph without a backward pass. */
import { flatAdapter } from "../../lib/train/adapter/tensors";
import type { LoraAdapter } from "../../lib/train/adapter/types";
import { embedTokens } from "../../lib/train/execution/embed";
import { attentionFeeds } from "../../lib/train/execution/feeds";
import type { Execution } from "../../lib/train/execution/types";
import { packedFeeds } from "../../lib/train/execution/whole";
import type { ModelConfig } from "../../lib/train/model/config";
import { scoringGraph } from "../../lib/train/model/graphs";
import type { AnyWeights } from "../../lib/train/model/groups";
import type { Backend } from "../../lib/train/runtime/backend";
import { f32, Session } from "../../lib/train/runtime/session";

/** Weights above this size are handed to the runtime beside the graph. */
export const EXTERNAL_OVER_BYTES = 1 << 20;

/** @param maxPositions of the longest row */
export async function openScorer(backend: Backend, config: ModelConfig, weights: AnyWeights, adapter: LoraAdapter | null, maxPositions: number): Promise<Pick<Execution, "score" | "dispose">> {
  const session = await Session.create(backend, scoringGraph(config, adapter, weights, { maxPositions, target: "cpu", externalOver: EXTERNAL_OVER_BYTES }));
  const fixed = adapter ? packedFeeds(config, adapter, flatAdapter(adapter)) : {};
  return {
    async score(batch) {
      const { ids, rows, targets } = batch.feeds;
      const embeddings = f32(embedTokens(config, weights, ids.data as Int32Array), [ids.shape[0]!, config.hiddenSize]);
      const { nll } = await session.run({ embeddings, ...attentionFeeds(batch), rows, targets, ...fixed });
      return nll!.data as Float32Array; // [M]
    },
    dispose: () => session.dispose(),
  };
}
