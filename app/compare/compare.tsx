"use client";
/** The prompt, its settings in the margin, and the facing pages. */
import { useEffect, useState } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Hand, StoredDocument } from "../../lib/store/types";
import type { HeldOutPassage } from "../../lib/data/held-out-passages";
import type { PromptSpec } from "../../workers/protocol";
import { Pages } from "./pages";
import { PromptPart, type Draft } from "./prompt-part";
import { Settings, type Sampling } from "./settings";
import { useComparison } from "./use-comparison";

interface Props {
  hand: Hand;
  adapter: AdapterInfo;
  documents: readonly StoredDocument[];
  passages: readonly HeldOutPassage[];
  /** The writing is no longer the one that the adapter was trained on. */
  changed: boolean;
}

export function Compare({ hand, adapter, documents, passages, changed }: Props) {
  const [draft, setDraft] = useState<Draft>({ form: passages.length > 0 ? "passage" : "own", at: 0, own: "", words: passages[0]?.keyWords.slice(0, 6).join(", ") ?? "" });
  const [sampling, setSampling] = useState<Sampling>({ temperature: 0.7, maxNewTokens: 120, seed: 1 });
  const { comparison, begin, stop } = useComparison();
  /** What the pages on show were written from; the prompt may have been changed since. */
  const [asked, setAsked] = useState<HeldOutPassage | null>(null);

  const busy = comparison.state === "loading" || comparison.state === "writing";
  const passage = passages[draft.at] ?? null;
  const prompt = promptOf(draft, passage);
  useEffect(() => {
    if (!busy) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") stop();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [busy, stop]);

  const write = (): void => {
    if (prompt === null) return;
    setAsked(draft.form === "passage" ? passage : null);
    const { seed, ...rest } = sampling;
    begin({ handId: hand.id, adapterId: adapter.id, prompt, seed, sampling: { ...rest, topP: 0.95 } });
  };

  return (
    <>
      <div className="compare-ask">
        <div className="min-w-0">
          <PromptPart draft={draft} documents={documents} passages={passages} changed={changed} onChange={setDraft} />
          <div className="actions mt-5">
            {busy
              ? <button type="button" className="button button-primary" data-testid="compare-stop" onClick={stop}>Stop</button>
              : <button type="button" className="button button-primary" data-testid="compare-run" disabled={prompt === null} onClick={write}>{comparison.state === "idle" ? "Let both write on" : "Let both write again"}</button>}
            <span className="quiet small">Same prompt, same seed; only the teaching differs.</span>
          </div>
        </div>
        <aside className="margin">
          <Settings sampling={sampling} onSampling={setSampling} device={comparison.device} />
        </aside>
      </div>
      <Pages comparison={comparison} handName={hand.name} asked={asked} onRetry={write} />
    </>
  );
}

/** What the worker is asked; null while there is nothing to ask. */
function promptOf(draft: Draft, passage: HeldOutPassage | null): PromptSpec | null {
  switch (draft.form) {
    case "passage":
      return passage === null ? null : { form: "continue", passage: passage.text };
    case "own":
      return draft.own.trim() === "" ? null : { form: "continue", passage: draft.own.trim() };
    case "words": {
      const words = draft.words.split(/[,;\n]+/).map((w) => w.trim().toLowerCase()).filter((w) => w !== "").slice(0, 8);
      return words.length === 0 ? null : { form: "keywords", words };
    }
    default:
      return draft.form satisfies never;
  }
}
