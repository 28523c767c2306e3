"use client";
/** What the next run would take, in words: time and memory with how sure they are, what to change where it does not fit. */
import type { Hand } from "../../lib/store/types";
import type { RunPrediction, Span } from "../../lib/train/sft/predict";
import { durationWords, memoryWords, predictionWords } from "../../lib/train/sft/predict-words";
import { count, plural } from "../_components/format";
import { plainError } from "../_components/plain-error";
import { forecast } from "../_state/forecast";
import { useStore } from "../_state/use-store";
import type { RecipeView } from "./use-recipe";

export function ForecastLines({ hand, view }: { hand: Hand; view: RecipeView }) {
  const { predicted, about, waiting, error } = useStore(forecast, (f) => f);
  if (view.faults.length > 0) return null;
  if (error !== null && !waiting) {
    const { message } = plainError(error);
    return <p className="forecast quiet" data-testid="forecast" data-state="failed">How long it will take cannot be said beforehand. {message}</p>;
  }
  if (predicted === null || about?.handId !== hand.id) return <p className="forecast quiet" data-testid="forecast" data-state="waiting">Reckoning how long it will take…</p>;
  const { prediction } = predicted;
  const { line, sure } = predictionWords(prediction);
  return (
    <div className="forecast" data-testid="forecast" data-state={waiting ? "waiting" : "ready"} data-fits={prediction.fits}>
      <p className="forecast-line">{line}</p>
      <p className="small quiet">{workWords(prediction)} {sure}</p>
      {prediction.advice.length > 0 && <ul className="forecast-advice small">{prediction.advice.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>}
      <details className="folded">
        <summary className="small">What takes the time and the memory</summary>
        <dl className="facts small">
          {prediction.spans.map(({ what, seconds }) => <div key={what} className="contents-row"><dt>{SPANS[what]}</dt><dd>{durationWords(seconds)}</dd></div>)}
          {prediction.parts.filter(({ bytes }) => bytes > 1e6).map(({ what, label, bytes }) => <div key={what} className="contents-row"><dt>{label}</dt><dd>{memoryWords(bytes)}</dd></div>)}
        </dl>
      </details>
    </div>
  );
}

const SPANS: Record<Span["what"], string> = { start: "Opening the model", steps: "Learning", checks: "Checks, and what it writes at each", end: "The last measure" };

function workWords({ work }: RunPrediction): string {
  return `${plural(work.steps, "step")} on ${count(work.examples)} examples, with ${plural(work.checks, "check")} on what is kept aside.`;
}
