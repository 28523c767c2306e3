"use client";
/** What both models are asked: to go on from a passage kept aside, from lines of one's own, or to write from key words. */
import { useId } from "react";
import type { HeldOutPassage } from "../../lib/data/held-out-passages";
import type { StoredDocument } from "../../lib/store/types";
import type { Draft } from "../_state/reading";

const FORMS: readonly { form: Draft["form"]; name: string }[] = [
  { form: "passage", name: "From a passage kept aside" },
  { form: "own", name: "From lines of your own" },
  { form: "words", name: "From key words" },
];

interface Props {
  draft: Draft;
  documents: readonly StoredDocument[];
  passages: readonly HeldOutPassage[];
  /** The writing is no longer the one that the adapter was trained on. */
  changed: boolean;
  onChange: (draft: Draft) => void;
}

export function PromptPart({ draft, documents, passages, changed, onChange }: Props) {
  const group = useId();
  const passage = passages[draft.at];
  const nameOf = (id: string): string => documents.find((document) => document.id === id)?.name ?? "";
  return (
    <>
      <fieldset className="forms">
        <legend className="sr-only">What they begin from</legend>
        {FORMS.filter(({ form }) => form !== "passage" || passages.length > 0).map(({ form, name }) => (
          <label key={form} data-checked={draft.form === form}>
            <input type="radio" name={group} value={form} checked={draft.form === form} onChange={() => onChange({ ...draft, form })} />
            {name}
          </label>
        ))}
      </fieldset>
      {draft.form === "passage" && passage !== undefined && (
        <>
          <blockquote className="prose prompt-passage" data-testid="prompt-passage"><p>{passage.text}</p></blockquote>
          <div className="prompt-choice">
            <label className="sr-only" htmlFor={`${group}-list`}>Passage</label>
            <select id={`${group}-list`} className="prompt-list" value={draft.at} onChange={(event) => onChange({ ...draft, at: Number(event.currentTarget.value) })}>
              {passages.map(({ documentId, text }, i) => <option key={i} value={i}>{`${nameOf(documentId)}: ${text.slice(0, 48).replace(/\s+/g, " ")}…`}</option>)}
            </select>
            <button type="button" className="link shrink-0" onClick={() => onChange({ ...draft, at: (draft.at + 1) % passages.length })}>Another passage</button>
          </div>
          {changed && <p className="quiet small mt-2" data-testid="changed">You have changed the writing since this was learned, and it was divided anew: the model may have learned from some of these passages. Train again to be sure.</p>}
        </>
      )}
      {draft.form === "own" && (
        <textarea className="field field-text prompt-field" rows={5} aria-label="Lines to go on from" placeholder="Write a few lines, and let both models go on." value={draft.own} onChange={(event) => onChange({ ...draft, own: event.currentTarget.value })} />
      )}
      {draft.form === "words" && (
        <>
          <input className="field field-text prompt-field" aria-label="Key words, separated by commas" value={draft.words} onChange={(event) => onChange({ ...draft, words: event.currentTarget.value })} />
          <p className="quiet small mt-2">One to eight words, separated by commas. The model tries to use them; being small, it does not always.</p>
        </>
      )}
    </>
  );
}
