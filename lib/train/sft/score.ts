/** Held-out loss in the units people and engineers read: nats a token, perplexity, bits per UTF-8 byte. */
import type { Score } from "../../store/types";
import type { TokenizedExample } from "./batch";
import type { ExampleLoss } from "./trainer";

/** Pools the losses of examples by token (loss, perplexity) and by byte (bits per byte). */
export function poolScore(examples: readonly TokenizedExample[], losses: readonly ExampleLoss[]): Score {
  const nll = losses.reduce((sum, l) => sum + l.nll, 0);
  const tokens = losses.reduce((sum, l) => sum + l.tokens, 0);
  const bytes = examples.reduce((sum, e) => sum + e.completionBytes, 0);
  return { loss: nll / tokens, perplexity: Math.exp(nll / tokens), bitsPerByte: nll / Math.LN2 / bytes, tokens, bytes, examples: examples.length };
}
