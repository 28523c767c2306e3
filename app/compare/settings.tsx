"use client";
/** The margin's settings of a comparison: how boldly, how long, which seed. */
import { useId } from "react";
import type { DeviceReport } from "../../lib/store/types";
import { decimal } from "../_components/format";
import { deviceWords } from "../_components/device-words";
import type { Sampling } from "../_state/reading";

interface Props {
  sampling: Sampling;
  onSampling: (sampling: Sampling) => void;
  device: DeviceReport | null;
}

/** English text of the embedded model's tokenizer. */
const WORDS_PER_TOKEN = 0.7;
const MAX_SEED = 999_999;

export function Settings({ sampling, onSampling, device }: Props) {
  const id = useId();
  const { temperature, maxNewTokens, seed } = sampling;
  return (
    <div className="settings">
      <div>
        <label htmlFor={`${id}-temperature`}>Boldness <output>{decimal(temperature, 1)}</output></label>
        <input id={`${id}-temperature`} type="range" min={0} max={1.5} step={0.1} value={temperature} aria-describedby={`${id}-bold`} onChange={(event) => onSampling({ ...sampling, temperature: Number(event.currentTarget.value) })} />
        <p id={`${id}-bold`} className="quiet small">Temperature. Low is careful and repeats itself; high is wild.</p>
      </div>
      <div>
        <label htmlFor={`${id}-length`}>Length <output>about {Math.round((maxNewTokens * WORDS_PER_TOKEN) / 10) * 10} words</output></label>
        <input id={`${id}-length`} type="range" min={30} max={300} step={10} value={maxNewTokens} onChange={(event) => onSampling({ ...sampling, maxNewTokens: Number(event.currentTarget.value) })} />
      </div>
      <div>
        <label htmlFor={`${id}-seed`}>Seed</label>
        <div className="flex items-center gap-3">
          <input id={`${id}-seed`} className="field" type="number" min={0} max={MAX_SEED} step={1} value={seed} onChange={(event) => onSampling({ ...sampling, seed: clampSeed(event.currentTarget.valueAsNumber) })} />
          <button type="button" className="link shrink-0" onClick={() => onSampling({ ...sampling, seed: newSeed() })}>Throw dice</button>
        </div>
        <p className="quiet small mt-1">The same seed gives the same text again.</p>
      </div>
      {device !== null && <p className="quiet small">Written by: {deviceWords(device)}.</p>}
    </div>
  );
}

const clampSeed = (value: number): number => (Number.isFinite(value) ? Math.min(MAX_SEED, Math.max(0, Math.round(value))) : 0);

/** Chance is wanted here; the seed it gives is shown, so the text can be had again. */
const newSeed = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 10_000;
