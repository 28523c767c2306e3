"use client";
/** The pair to be judged: two texts that go on from the same passage, chosen between by button or key. */
import { useEffect, useRef } from "react";
import { type BlindChoice, type BlindState, currentCard } from "../../lib/eval/blind";
import type { Hand } from "../../lib/store/types";
import { endJudging, judge, takeBack } from "../_state/judging";

const KEYS: Readonly<Record<string, BlindChoice>> = { ArrowLeft: "left", "1": "left", ArrowRight: "right", "2": "right", " ": "cannot tell" };

export function JudgeCard({ state, hand }: { state: BlindState; hand: Hand }) {
  const card = currentCard(state);
  const done = state.choices.length, total = state.cards.length;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), [done]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]") !== null) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest("input, select, textarea") != null) return;
      if (event.key === " " && target?.closest("button, a, summary") != null) return; // presses what has the focus
      const choice = KEYS[event.key];
      if (choice === undefined && event.key !== "Backspace") return;
      event.preventDefault();
      if (choice === undefined) takeBack();
      else judge(choice);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <div data-testid="judge-card" data-done={done}>
      <div className="stroke run-stroke" aria-hidden="true"><span style={{ width: `${(100 * done) / total}%` }} /></div>
      <h2 ref={heading} tabIndex={-1} className="section-title judge-title">{card === null ? "All are judged" : `Pair ${done + 1} of ${total}: which sounds more like ${hand.name}?`}</h2>
      {card !== null && (
        <>
          <blockquote className="prose judge-prompt"><p>{card.prompt}</p></blockquote>
          <div className="pages judge-pages">
            {(["left", "right"] as const).map((side) => (
              <article key={side} className="page">
                <p className="page-text" data-testid={`judge-${side}-text`}>{card[side]}</p>
                <button type="button" className="button" data-testid={`judge-${side}`} onClick={() => judge(side)}>{side === "left" ? "The first" : "The second"} <kbd>{side === "left" ? "←" : "→"}</kbd></button>
              </article>
            ))}
          </div>
        </>
      )}
      <div className="actions judge-actions">
        {card !== null && <button type="button" className="button" data-testid="judge-neither" onClick={() => judge("cannot tell")}>I cannot tell <kbd>space</kbd></button>}
        <button type="button" className="button" data-testid="judge-undo" disabled={done === 0} onClick={takeBack}>Undo <kbd>backspace</kbd></button>
        <button type="button" className={card === null ? "button button-primary" : "button"} data-testid="judge-end" disabled={done === 0} onClick={endJudging}>{card === null ? "See the result" : "End, and see the result"}</button>
      </div>
      <p className="quiet small mt-4">Both are cut to the same length. Your choices are kept as you go; you may leave and come back. How it stands is shown only at the end: who sees it while choosing stops where it suits.</p>
    </div>
  );
}
