"use client";
/** How it writes, folded away: the samplers' settings, each with what it means; and which adapter answers, where there are several. */
import { useId, type ReactNode } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { DeviceReport } from "../../lib/store/types";
import { deviceWords } from "../_components/device-words";
import { date, decimal } from "../_components/format";
import { change } from "../_state/chat";
import { chatSettings, type Dial, LIMITS, MAX_SEED, resetDials, seedFor, setChatSettings } from "../_state/chat-settings";
import { useStore } from "../_state/use-store";

/** English text of the embedded model's tokenizer. */
const WORDS_PER_TOKEN = 0.7;

const DIALS: readonly { dial: Dial; name: string; shown: (value: number) => string; meaning: string }[] = [
  { dial: "temperature", name: "Boldness", shown: (value) => decimal(value, 1), meaning: "Temperature. Low is careful and repeats itself; high is wild." },
  { dial: "maxNewTokens", name: "Length", shown: (value) => `about ${Math.round((value * WORDS_PER_TOKEN) / 5) * 5} words`, meaning: "At most; it may end sooner by itself. What it writes takes room from what it can look back on." },
  { dial: "topP", name: "Likely words only", shown: (value) => `${Math.round(value * 100)} %`, meaning: "Top-p. It chooses among the likeliest words that make up this share; less is safer." },
  { dial: "topK", name: "Words to choose among", shown: (value) => (value === 0 ? "all" : String(value)), meaning: "Top-k. Never more than this many, the likeliest." },
  { dial: "repetitionPenalty", name: "Against repeating", shown: (value) => (value === 1 ? "off" : decimal(value, 2)), meaning: "Repetition penalty. Words that were used already become less likely." },
];

export function Settings({ adapter, adapters, device }: { adapter: AdapterInfo | null; adapters: readonly AdapterInfo[]; device: DeviceReport | null }) {
  const settings = useStore(chatSettings, (s) => s);
  const id = useId();
  const fixed = settings.seed !== null;
  return (
    <section className="margin-part" aria-label="How it writes">
      {adapters.length > 1 && adapter !== null && (
        <div className="mb-4">
          <label className="label" htmlFor={`${id}-adapter`}>Taught by</label>
          <select id={`${id}-adapter`} className="field" data-testid="adapter-choice" value={adapter.id} onChange={(event) => change({ chosenAdapterId: event.currentTarget.value })}>
            {[...adapters].reverse().map((a) => <option key={a.id} value={a.id}>{`${a.name}, ${date(a.createdAt)}`}</option>)}
          </select>
        </div>
      )}
      <details className="folded chat-settings">
        <summary data-testid="settings">How it writes</summary>
        {DIALS.map(({ dial, name, shown, meaning }) => (
          <Part key={dial} name={name} id={`${id}-${dial}`} shown={shown(settings[dial])} meaning={meaning}>
            <input
              id={`${id}-${dial}`} type="range" min={LIMITS[dial].min} max={LIMITS[dial].max} step={LIMITS[dial].step} value={settings[dial]}
              aria-describedby={`${id}-${dial}-meaning`} aria-valuetext={shown(settings[dial])} onChange={(event) => setChatSettings({ [dial]: Number(event.currentTarget.value) })}
            />
          </Part>
        ))}
        <Part name="Seed" id={`${id}-fixed`} shown={fixed ? "fixed" : "new each time"} meaning="Fixed, the same words get the same answer again, and writing again takes the next number.">
          <div className="chat-seed">
            <label htmlFor={`${id}-fixed`}><input id={`${id}-fixed`} type="checkbox" aria-describedby={`${id}-fixed-meaning`} data-testid="seed-fixed" checked={fixed} onChange={(event) => setChatSettings({ seed: event.currentTarget.checked ? seedFor({ seed: null }, []) : null })} /> Fixed</label>
            {settings.seed !== null && <input className="field" type="number" min={0} max={MAX_SEED} step={1} aria-label="Seed" data-testid="seed" value={settings.seed} onChange={(event) => setChatSettings({ seed: clampSeed(event.currentTarget.valueAsNumber) })} />}
          </div>
        </Part>
        <button type="button" className="link small" onClick={resetDials}>Back to the usual</button>
        {device !== null && <p className="quiet small mt-3">Written by: {deviceWords(device)}.</p>}
      </details>
    </section>
  );
}

function Part({ name, id, shown, meaning, children }: { name: string; id: string; shown: string; meaning: string; children: ReactNode }) {
  return (
    <div className="chat-dial">
      <label htmlFor={id}>{name} <output htmlFor={id}>{shown}</output></label>
      {children}
      <p id={`${id}-meaning`} className="quiet small">{meaning}</p>
    </div>
  );
}

const clampSeed = (value: number): number => (Number.isFinite(value) ? Math.min(MAX_SEED, Math.max(0, Math.round(value))) : 0);
