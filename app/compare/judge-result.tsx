"use client";
/** What came of a blind judging: how often the taught model's text was preferred, what chance has to do with it, every pair with its writers named, and the same to take away. */
import { useMemo, useState } from "react";
import { type BlindState, judgements } from "../../lib/eval/blind";
import { blindCsv, blindJson, blindResult, type BlindResult } from "../../lib/eval/blind-result";
import type { Hand } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { date, fileName } from "../_components/format";
import { saveAs } from "../_components/save-as";
import type { OpenJudging } from "../_state/judging";

export function JudgeResult({ judged, state, hand }: { judged: OpenJudging; state: BlindState; hand: Hand }) {
  const result = useMemo(() => (state.choices.length === 0 ? null : blindResult(state)), [state]);
  if (result === null) return <p className="lead">This was ended before anything was judged.</p>;
  const { words } = result;
  return (
    <div data-testid="judge-result">
      <p className="lead" data-testid="judge-words">{words.result} {words.chance} {words.more}</p>
      <Rate result={result} />
      <p className="quiet small mt-4">Judged {date(judged.createdAt)}.{result.left > 0 && ` ${result.left} more were written and not judged.`}{state.leftOut > 0 && ` ${state.leftOut} were left out, because both had written the same, or one nothing.`}</p>
      <Export state={state} hand={hand} />
      <Uncovered state={state} />
    </div>
  );
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

function Rate({ result: { winRate, low, high } }: { result: BlindResult }) {
  return (
    <figure className="judge-rate">
      <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
        <line x1="0" x2="100" y1="6" y2="6" stroke="var(--rule)" strokeWidth="1" vectorEffect="non-scaling-stroke" />
        <rect x={100 * low} width={100 * (high - low)} y="1" height="10" fill="var(--rubric)" opacity="0.28" />
        <line x1="50" x2="50" y1="0" y2="12" stroke="var(--line)" strokeWidth="1" strokeDasharray="2 2" vectorEffect="non-scaling-stroke" />
        <line x1={100 * winRate} x2={100 * winRate} y1="0" y2="12" stroke="var(--rubric)" strokeWidth="3" vectorEffect="non-scaling-stroke" />
      </svg>
      <figcaption><span className="base">always the one before</span><span className="quiet">no preference, 50 %</span><span className="tuned">always the taught one</span></figcaption>
      <p className="sr-only">{percent(winRate)} for the taught model, between {percent(low)} and {percent(high)}.</p>
    </figure>
  );
}

function Export({ state, hand }: { state: BlindState; hand: Hand }) {
  const [texts, setTexts] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const save = async (kind: "json" | "csv"): Promise<void> => {
    setError(null);
    try {
      const text = kind === "json" ? blindJson(state, { texts }) : await blindCsv(state, { texts });
      saveAs(new TextEncoder().encode(text), fileName(`${hand.name} judged`, `.${kind}`), kind === "json" ? "application/json" : "text/csv");
    } catch (fault) {
      setError(fault);
    }
  };
  return (
    <>
      <div className="actions mt-5">
        <button type="button" className="button" data-testid="judge-json" onClick={() => void save("json")}>Save as JSON</button>
        <button type="button" className="button" data-testid="judge-csv" onClick={() => void save("csv")}>Save as CSV</button>
        <label className="judge-texts"><input type="checkbox" data-testid="judge-with-texts" checked={texts} onChange={(event) => setTexts(event.currentTarget.checked)} /> with the texts</label>
      </div>
      {error !== null && <div className="mt-4"><ErrorNote error={error} /></div>}
    </>
  );
}

function Uncovered({ state }: { state: BlindState }) {
  const made = useMemo(() => judgements(state), [state]);
  return (
    <div className="judge-uncovered">
      <h3 className="judge-small-title">Which was whose</h3>
      <ol>
        {made.map(({ card, left, choice, preferred }) => (
          <li key={card}>
            <details className="folded">
              <summary data-testid="judge-uncovered"><span className="sr-only">Pair {card}: </span>{preferred === null ? "You could not tell" : preferred === "tuned" ? <>You chose the <span className="tuned">taught one</span></> : <>You chose the <span className="base">one before</span></>}</summary>
              <p className="prose quiet judge-prompt">{state.cards[card - 1]?.prompt}</p>
              <div className="pages judge-pages">
                {(["left", "right"] as const).map((side) => {
                  const voice = (side === "left") === (left === "tuned") ? "tuned" : "base";
                  return (
                    <article key={side} className="page">
                      <h4 className={`page-title ${voice}`}>{voice === "base" ? "Before" : "After"} <span>{choice === side ? "your choice" : ""}</span></h4>
                      <p className="page-text">{state.cards[card - 1]?.[side]}</p>
                    </article>
                  );
                })}
              </div>
            </details>
          </li>
        ))}
      </ol>
    </div>
  );
}
