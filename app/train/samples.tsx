"use client";
/**
 * What the model wrote at every check, from the same prompt and seed: two of
 * them side by side, each chosen on a strip through time. Waiting is reading.
 */
import { useId, useState } from "react";
import type { RunSample } from "../../lib/store/types";

/** @param began the adapter that the run began with; null: the model as it came */
export function Samples({ samples, ended, began }: { samples: readonly RunSample[]; ended: boolean; began: string | null }) {
  const [left, setLeft] = useState<number | null>(null);
  const [right, setRight] = useState<number | null>(null);
  const latest = samples.at(-1);
  if (latest === undefined) return null;
  const shown = samples.find(({ step }) => step === right) ?? latest;
  const earlier = samples.filter(({ step }) => step < shown.step);
  // While it learns, the change from the last time; afterwards, the whole way.
  const beside = samples.find(({ step }) => step === left) ?? (ended ? samples[0] : (earlier.at(-1) ?? samples[0]));
  const voiceOf = ({ step }: RunSample, later: "earlier" | "tuned") => (step > 0 ? later : began === null ? "base" : "earlier");
  const single = samples.length === 1 || beside === undefined;
  return (
    <section className="samples" aria-label="What the model writes" data-testid="samples" data-count={samples.length}>
      {shown.prompt !== "" && (
        <details className="folded samples-prompt">
          <summary className="small">{promptIntro(shown.prompt)}</summary>
          <p className="prose quiet">{promptText(shown.prompt)}</p>
        </details>
      )}
      <div className="samples-pages" data-single={single}>
        {!single && <Page sample={beside} all={samples} name="Left" began={began} voice={voiceOf(beside, "earlier")} onChoose={setLeft} />}
        <Page sample={shown} all={single ? [] : samples} name="Right" began={began} voice={voiceOf(shown, "tuned")} onChoose={(step) => setRight(step === latest.step ? null : step)} testId="latest-sample" />
      </div>
    </section>
  );
}

interface PageProps {
  sample: RunSample;
  all: readonly RunSample[];
  name: "Left" | "Right";
  began: string | null;
  voice: "base" | "earlier" | "tuned";
  onChoose: (step: number) => void;
  testId?: string;
}

function Page({ sample, all, name, began, voice, onChoose, testId }: PageProps) {
  const id = useId();
  return (
    <div>
      {all.length > 1 && (
        <div className="strip" role="radiogroup" aria-label={`${name} page: after step`} data-testid={`strip-${name.toLowerCase()}`}>
          {all.map(({ step }) => (
            <label key={step} className="strip-stop" data-chosen={step === sample.step}>
              <input type="radio" name={id} value={step} checked={step === sample.step} onChange={() => onChoose(step)} className="sr-only" aria-label={stepWords(step, began)} />
              <span aria-hidden="true">{step}</span>
            </label>
          ))}
        </div>
      )}
      <h2 className="samples-label" data-voice={voice}>{stepWords(sample.step, began)}</h2>
      <p className="samples-text" {...(testId === undefined ? {} : { "data-testid": testId })}>{sample.text}</p>
    </div>
  );
}

const stepWords = (step: number, began: string | null): string => (step > 0 ? `After step ${step}` : began === null ? "Before any training" : `As it began, with “${began}”`);

const CONTINUE = "Continue:\n\n";

/** The passage of a "continue" prompt; other prompts as they are. */
const promptText = (prompt: string): string => (prompt.startsWith(CONTINUE) ? prompt.slice(CONTINUE.length) : prompt);

const promptIntro = (prompt: string): string => (prompt.startsWith(CONTINUE) ? "It goes on from the same lines each time, of a piece it does not learn from" : "It is asked for the same each time");
