"use client";
/** The dial: three answers to how thorough it is to be, each of which sets everything, and what the one chosen does. */
import { useId } from "react";
import { DIAL, dialWords, type DialPosition, type DialSituation } from "../../lib/train/sft/dial";
import { turnDial } from "../_state/recipe";

export function Dial({ position, situation }: { position: DialPosition; situation: DialSituation }) {
  const id = useId();
  const { label, summary, differences } = dialWords(position, situation);
  return (
    <fieldset className="dial" data-testid="dial">
      <legend className="label">How thorough</legend>
      <div className="dial-line">
        {DIAL.map((one) => (
          <label key={one} className="dial-stop">
            <input type="radio" name={id} value={one} checked={one === position} aria-describedby={`${id}-words`} data-testid={`dial-${one}`} onChange={() => turnDial(one)} />
            <span>{dialWords(one, situation).label}</span>
          </label>
        ))}
      </div>
      <div id={`${id}-words`} className="dial-words">
        <p>{summary}</p>
        {differences.length > 0 && <p className="small quiet">{label}: {differences.map(({ label: what, a, b }) => `${what.toLowerCase()} ${b} instead of ${a}`).join("; ")}.</p>}
      </div>
    </fieldset>
  );
}
