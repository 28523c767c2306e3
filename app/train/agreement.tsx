/** What was said of a run before it started, beside what it turns out to take. */
import { compareWithMeasured, predictionWords } from "../../lib/train/sft/predict-words";
import type { LiveRun } from "../_state/run";

export function Agreement({ live: { prediction, progress, peakBytes } }: { live: LiveRun }) {
  if (prediction === null) return null;
  const agreement = progress === null ? null : compareWithMeasured(prediction, { ...progress, peakBytes });
  const said = agreement?.words ?? "";
  return (
    <section className="margin-part" data-testid="agreement">
      <h2>As was said beforehand</h2>
      <p className="small">{said === "" ? predictionWords(prediction).line : said}</p>
      {agreement?.memory != null && <p className="small quiet">{agreement.memory.words}</p>}
    </section>
  );
}
