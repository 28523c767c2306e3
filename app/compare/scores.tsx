"use client";
/** The measure on the test part for both models, in plain words with small figures. */
import { useState } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { AdapterReport, Hand } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { count, decimal, perplexities } from "../_components/format";
import { resultSentence } from "../_components/result-sentence";
import { evaluate } from "../_engine/writer";
import { refresh } from "../_state/workspace";

/** @param changed the writing is no longer the one that the adapter was trained on, so nobody can say which of it is new to it */
export function Scores({ hand, adapter, changed }: { hand: Hand; adapter: AdapterInfo; changed: boolean }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const measure = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await evaluate(hand.id, adapter.id);
      await refresh();
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  return (
    <section className="scores" aria-labelledby="measured">
      <h2 id="measured" className="section-title">Measured on writing it never learned from</h2>
      {adapter.report !== undefined ? <Report report={adapter.report} /> : (
        <>
          <p className="lead">This adapter has not been measured on this hand yet.</p>
          {changed
            ? <p className="mt-2">You have changed the writing since it was learned, so there is no telling which of it the model has not seen. Train again to have it measured.</p>
            : <button type="button" className="button mt-4" data-testid="measure" disabled={busy} onClick={() => void measure()}>{busy ? "Measuring…" : "Measure both"}</button>}
        </>
      )}
      {error !== null && <div className="mt-4"><ErrorNote error={error} /></div>}
    </section>
  );
}

function Report({ report }: { report: AdapterReport }) {
  const { base, tuned } = report;
  const rows: [string, string, string, string][] = [
    ["Perplexity", "between how many next tokens it hesitates", ...perplexities(base.perplexity, tuned.perplexity)],
    ["Loss", "its surprise at each token, in nats", decimal(base.loss, 3), decimal(tuned.loss, 3)],
    ["Bits per byte", "how briefly it could write your text down", decimal(base.bitsPerByte, 3), decimal(tuned.bitsPerByte, 3)],
  ];
  return (
    <>
      <p className="lead" data-testid="scores-result">{resultSentence(report)}</p>
      <table className="table scores-table" data-testid="scores">
        <caption className="sr-only">Before and after, on {tuned.examples} passages kept aside</caption>
        <thead>
          <tr><td /><th scope="col" className="number base">Before</th><th scope="col" className="number tuned">After</th></tr>
        </thead>
        <tbody>
          {rows.map(([name, meaning, before, after]) => (
            <tr key={name}><th scope="row"><span className="text-ink">{name}</span> <span className="small scores-meaning">{meaning}</span></th><td className="number">{before}</td><td className="number">{after}</td></tr>
          ))}
        </tbody>
      </table>
      <p className="quiet small mt-3">Lower is better in all three. Over {count(tuned.examples)} passages, {count(tuned.tokens)} tokens.</p>
    </>
  );
}
