/** What the dial goes by: the size of the hand's model and the words of its writing, as far as they are known on the page. */
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Hand } from "../../lib/store/types";
import type { DialSituation } from "../../lib/train/sft/dial";
import { EMBEDDED_ID } from "../_components/model-words";
import { models } from "./models";
import { workspace } from "./workspace";

/** The embedded model is a small one whatever its number; so is one that is gone, with which nothing can begin. */
export function situationOf(hand: Hand): DialSituation {
  const stored = models.get().stored?.find(({ id }) => id === hand.model?.id);
  return { parameters: stored?.parameters ?? 0, words: workspace.get().used.reduce((sum, { words }) => sum + words, 0) };
}

/** Of the model that a run taught, to say where the dial stood; undefined where it is not known any more. */
export function parametersOf({ modelId, modelSha256 }: { modelId: string; modelSha256: string }): number | undefined {
  if (modelId === EMBEDDED_ID) return 0;
  return models.get().stored?.find(({ id }) => id === modelSha256)?.parameters;
}

/** Whether a run of this hand's can go on from an adapter: it must be of the same model. */
export const fitsHand = ({ modelId, modelSha256 }: Pick<AdapterInfo, "modelId" | "modelSha256">, hand: Hand): boolean =>
  hand.model === undefined ? modelId === EMBEDDED_ID : modelSha256 === hand.model.id;
