/** What a run brought, in a sentence: the measure on the test part with its meaning. */
import type { AdapterReport } from "../../lib/store/types";
import { perplexities } from "./format";

export function resultSentence({ base, tuned }: AdapterReport): string {
  const numbers = `Perplexity ${perplexities(base.perplexity, tuned.perplexity).join(" → ")}`;
  const change = (tuned.loss - base.loss) / base.loss;
  if (change < -0.05) return `${numbers}: it is clearly less surprised by writing of this hand that it has never seen.`;
  if (change < -0.005) return `${numbers}: it is a little less surprised by writing of this hand that it has never seen.`;
  if (change <= 0.005) return `${numbers}: it is about as surprised by this hand as before. More writing teaches more.`;
  return `${numbers}: it is more surprised by this hand than before. It may have learned its pieces by heart; more writing helps.`;
}
