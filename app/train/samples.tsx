"use client";
/** What the model wrote last beside what it wrote before, from the same prompt and seed: waiting is reading. */
import { useId, useState } from "react";
import type { RunSample } from "../../lib/store/types";

export function Samples({ samples, ended }: { samples: readonly RunSample[]; ended: boolean }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const id = useId();
  const latest = samples.at(-1);
  if (latest === undefined) return null;
  const earlier = samples.slice(0, -1);
  // While it learns, the change from the last time; afterwards, the whole way.
  const before = earlier.find((s) => s.step === chosen) ?? (ended ? earlier[0] : earlier.at(-1));
  return (
    <section className="samples" aria-label="What the model writes">
      {latest.prompt !== "" && (
        <details className="folded samples-prompt">
          <summary className="small">{promptIntro(latest.prompt)}</summary>
          <p className="prose quiet">{promptText(latest.prompt)}</p>
        </details>
      )}
      <div className="samples-pages" data-single={before === undefined}>
        {before !== undefined && (
          <div>
            {earlier.length > 1 ? (
              <label className="samples-label" data-voice={before.step === 0 ? "base" : "earlier"} htmlFor={id}>
                <select id={id} aria-label="Earlier sample" value={before.step} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
                  {earlier.map(({ step }) => <option key={step} value={step}>{stepWords(step)}</option>)}
                </select>
              </label>
            ) : <h2 className="samples-label" data-voice={before.step === 0 ? "base" : "earlier"}>{stepWords(before.step)}</h2>}
            <p className="samples-text">{before.text}</p>
          </div>
        )}
        <div>
          <h2 className="samples-label" data-voice={latest.step === 0 ? "base" : "tuned"}>{stepWords(latest.step)}</h2>
          <p className="samples-text" data-testid="latest-sample">{latest.text}</p>
        </div>
      </div>
    </section>
  );
}

const stepWords = (step: number): string => (step === 0 ? "Before any training" : `After step ${step}`);

const CONTINUE = "Continue:\n\n";

/** The passage of a "continue" prompt; other prompts as they are. */
const promptText = (prompt: string): string => (prompt.startsWith(CONTINUE) ? prompt.slice(CONTINUE.length) : prompt);

const promptIntro = (prompt: string): string => (prompt.startsWith(CONTINUE) ? "It goes on from the same lines each time, of a piece it does not learn from" : "It is asked for the same each time");
