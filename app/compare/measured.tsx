"use client";
/** What was measured of an adapter on writing kept aside, the way to measure it, and others beside it. */
import { useMemo, useState } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { AdapterReport, Hand, StoredDocument } from "../../lib/store/types";
import type { Compared } from "../../workers/protocol";
import { ErrorNote } from "../_components/error-note";
import { count, date, decimal, perplexities } from "../_components/format";
import { resultSentence } from "../_components/result-sentence";
import { measuring, startMeasuring } from "../_state/measuring";
import { useStore } from "../_state/use-store";
import { MeasureProgress } from "./measure-progress";
import { MeasureTable } from "./measure-table";
import { headline, heldOutMeasures, restsOn, varietyMeasures } from "./measure-words";
import { useCompared } from "./use-compared";

interface Props {
  hand: Hand;
  adapter: AdapterInfo;
  adapters: readonly AdapterInfo[];
  /** Those that are used. */
  documents: readonly StoredDocument[];
  /** The writing is no longer the one that the adapter was trained on, so nobody can say which of it is new to it. */
  changed: boolean;
}

export function Measured({ hand, adapter, adapters, documents, changed }: Props) {
  const [beside, setBeside] = useState<readonly string[]>([]);
  const state = useStore(measuring, (m) => m);
  const others = adapters.filter(({ id }) => id !== adapter.id);
  const stamp = useMemo(() => ({ hand, adapters, documents, measuring: state.adapterId }), [hand, adapters, documents, state.adapterId]);
  const reading = useCompared(hand.id, [adapter.id, ...beside.filter((id) => others.some((other) => other.id === id))], adapters.map(({ id }) => id), stamp);
  const busy = state.adapterId === adapter.id;
  const { compared = null, measured = [], error = null } = reading ?? {};
  const failed = state.failed?.adapterId === adapter.id ? state.failed.error : error;
  const choices = others.filter(({ id }) => measured.includes(id));

  return (
    <section className="measured" aria-labelledby="measured">
      <h2 id="measured" className="section-title">Measured on writing it never learned from</h2>
      {compared !== null
        ? <Full compared={compared} adapters={adapters} changed={changed} />
        : adapter.report !== undefined ? <Short report={adapter.report} /> : reading !== null && !busy && <p className="lead">This adapter has not been measured on this hand yet.</p>}
      {busy ? <MeasureProgress /> : reading !== null && (
        <Begin hand={hand} adapter={adapter} compared={compared} changed={changed} elsewhere={state.adapterId !== null} />
      )}
      {failed !== null && <div className="mt-6"><ErrorNote error={failed} /></div>}
      {compared !== null && choices.length > 0 && (
        <fieldset className="measured-others">
          <legend>Beside it</legend>
          {choices.map(({ id, name, createdAt }) => (
            <label key={id}>
              <input type="checkbox" checked={beside.includes(id)} onChange={(event) => setBeside(event.currentTarget.checked ? [...beside, id] : beside.filter((one) => one !== id))} />
              <span>{name}, {date(createdAt)}{compared.leftOut.includes(id) && <span className="quiet"> (measured on other writing: measure it again)</span>}</span>
            </label>
          ))}
        </fieldset>
      )}
    </section>
  );
}

/** The button, with what it will do; words in its place where there is nothing to be gained. */
function Begin({ hand, adapter, compared, changed, elsewhere }: { hand: Hand; adapter: AdapterInfo; compared: Compared | null; changed: boolean; elsewhere: boolean }) {
  if (changed) return <p className="mt-4 small quiet" data-testid="measure-changed">You have changed the writing since it was learned, so there is no telling which of it the model has not seen. Train again to have it measured.</p>;
  if (compared !== null && compared.whole && compared.current) return null;
  const [name, says] =
    compared === null ? ["Measure", adapter.report === undefined ? "Both read what was kept aside, and write on from some of it." : "How sure is that, how varied does it write, and does it copy? Both read what was kept aside once more, and write on from some of it."]
    : !compared.current ? ["Measure again", "The writing is not the one that this was measured on."]
    : ["Go on measuring", "It was stopped on the way; what is done is kept."];
  return (
    <div className="actions mt-5">
      <button type="button" className="button" data-testid="measure" disabled={elsewhere} onClick={() => void startMeasuring(hand.id, adapter.id)}>{name}</button>
      <span className="quiet small measured-says">{elsewhere ? "Another one is being measured." : says}</span>
    </div>
  );
}

function Full({ compared, adapters, changed }: { compared: Compared; adapters: readonly AdapterInfo[]; changed: boolean }) {
  const { report, adapterId, baseId, measuredAt, current } = compared;
  const whose = { baseId, adapterId, nameOf: (id: string) => adapters.find((a) => a.id === id)?.name ?? "Before, another model" };
  const held = heldOutMeasures(report, whose), variety = varietyMeasures(report, whose);
  return (
    <div data-testid="scores" data-whole={compared.whole}>
      <p className="lead" data-testid="scores-result">{headline(report, whose)}</p>
      {(changed || !current) && <p className="note note-quiet mt-4" data-testid="measure-stale">The writing has been changed since this was measured; these are the figures from before.</p>}
      <MeasureTable caption="How surprised it is by your writing" measures={held} />
      {variety.length > 0 && <MeasureTable caption="How varied it writes" measures={variety} />}
      <p className="quiet small mt-4">{restsOn(report, adapterId).join(" ")} Intervals hold the truth 95 times in a hundred. Measured {date(measuredAt)}.</p>
    </div>
  );
}

/** What a run measured of itself at its end: no intervals. */
function Short({ report }: { report: AdapterReport }) {
  const { base, tuned } = report;
  const rows: [string, string, string, string][] = [
    ["Perplexity", "between how many next tokens it hesitates", ...perplexities(base.perplexity, tuned.perplexity)],
    ["Loss", "its surprise at each token, in nats", decimal(base.loss, 3), decimal(tuned.loss, 3)],
    ["Bits per byte", "how briefly it could write your text down", decimal(base.bitsPerByte, 3), decimal(tuned.bitsPerByte, 3)],
  ];
  return (
    <div data-testid="scores">
      <p className="lead" data-testid="scores-result">{resultSentence(report)}</p>
      <table className="table scores-table">
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
    </div>
  );
}
