"use client";
/** The prompt, its settings in the margin, the facing pages, and under them those of before. */
import { useEffect } from "react";
import type { HeldOutPassage } from "../../lib/data/held-out-passages";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Hand, StoredDocument } from "../../lib/store/types";
import type { PromptSpec } from "../../workers/protocol";
import { keyWordsOf } from "../_state/asking";
import { clearEarlier, isBusy, leaveReading, reading, readOn, setDraft, setSampling, stopReading, type Draft, type Entry, type Sampling } from "../_state/reading";
import { useStore } from "../_state/use-store";
import { Pages } from "./pages";
import { PromptPart } from "./prompt-part";
import { Settings } from "./settings";

interface Props {
  hand: Hand;
  adapter: AdapterInfo;
  documents: readonly StoredDocument[];
  passages: readonly HeldOutPassage[];
  /** The writing is no longer the one that the adapter was trained on. */
  changed: boolean;
}

export function Compare({ hand, adapter, documents, passages, changed }: Props) {
  const { draft: kept, sampling, entries, device } = useStore(reading, (r) => r);
  const draft = kept?.handId === hand.id ? fitting(kept.draft, passages) : firstDraft(passages);
  const [newest, ...earlier] = entries.filter(({ handId }) => handId === hand.id);
  const busy = newest !== undefined && isBusy(newest);
  const passage = passages[draft.at] ?? null;
  const prompt = promptOf(draft, passage);
  useEffect(() => leaveReading, []);
  useEffect(() => {
    if (!busy) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") stopReading();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [busy]);

  const write = (): void => {
    if (prompt === null) return;
    void readOn({ handId: hand.id, adapterId: adapter.id, adapterName: adapter.name, prompt, next: draft.form === "passage" ? (passage?.next ?? null) : null, sampling });
  };
  const again = ({ handId, adapterId, adapterName, prompt: before, next, sampling: drawn }: Entry): void => void readOn({ handId, adapterId, adapterName, prompt: before, next, sampling: drawn });

  return (
    <>
      <div className="compare-ask">
        <div className="min-w-0">
          <PromptPart draft={draft} documents={documents} passages={passages} changed={changed} onChange={(next) => setDraft(hand.id, next)} />
          <div className="actions mt-5">
            {busy
              ? <button type="button" className="button button-primary" data-testid="compare-stop" onClick={stopReading}>Stop</button>
              : <button type="button" className="button button-primary" data-testid="compare-run" disabled={prompt === null} onClick={write}>{newest === undefined ? "Let both write on" : "Let both write again"}</button>}
            <span className="quiet small">Same prompt, same seed; only the teaching differs.</span>
          </div>
        </div>
        <aside className="margin">
          <Settings sampling={sampling} onSampling={setSampling} device={device} />
        </aside>
      </div>
      {newest !== undefined && <Pages entry={newest} handName={hand.name} telling={!isAsked(newest, prompt, adapter.id, sampling)} onRetry={() => again(newest)} />}
      {earlier.length > 0 && (
        <section className="earlier" aria-label="Written before" data-testid="earlier">
          <div className="actions">
            <h2 className="section-title">Written before</h2>
            <button type="button" className="link small quiet" data-testid="clear-earlier" onClick={() => clearEarlier(hand.id)}>Take these off the page</button>
          </div>
          {earlier.map((entry) => <Pages key={entry.id} entry={entry} handName={hand.name} telling onRetry={null} />)}
        </section>
      )}
    </>
  );
}

/** Whether it was written to what stands in the fields now. */
const isAsked = (entry: Entry, prompt: PromptSpec | null, adapterId: string, { temperature, seed }: Sampling): boolean =>
  entry.adapterId === adapterId && entry.sampling.temperature === temperature && entry.sampling.seed === seed && JSON.stringify(entry.prompt) === JSON.stringify(prompt);

const firstDraft = (passages: readonly HeldOutPassage[]): Draft => ({ form: passages.length > 0 ? "passage" : "own", at: 0, own: "", words: passages[0]?.keyWords.slice(0, 6).join(", ") ?? "" });

/** The passages may be others since. */
function fitting(draft: Draft, passages: readonly HeldOutPassage[]): Draft {
  if (passages.length === 0) return draft.form === "passage" ? { ...draft, form: "own", at: 0 } : draft;
  return draft.at < passages.length ? draft : { ...draft, at: 0 };
}

/** What the worker is asked; null while there is nothing to ask. */
function promptOf(draft: Draft, passage: HeldOutPassage | null): PromptSpec | null {
  switch (draft.form) {
    case "passage":
      return passage === null ? null : { form: "continue", passage: passage.text };
    case "own":
      return draft.own.trim() === "" ? null : { form: "continue", passage: draft.own.trim() };
    case "words": {
      const words = keyWordsOf(draft.words);
      return words.length === 0 ? null : { form: "keywords", words };
    }
    default:
      return draft.form satisfies never;
  }
}
