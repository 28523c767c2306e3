"use client";
/** One setting: its name, what it means, and the control that its kind asks for. What may be set is the settings' own affair. */
import { useId, useState, type ReactNode } from "react";
import type { SftConfig } from "../../lib/train/sft/config";
import type { DialSituation } from "../../lib/train/sft/dial";
import { valueWords } from "../../lib/train/sft/setting-words";
import { type NumberSetting, type Setting, valueOf, type SettingValue } from "../../lib/train/sft/settings";
import { resetOne, setOne } from "../_state/recipe";
import { fromSlider, numberOf, numbersOf, sliderSteps, toSlider } from "./setting-numbers";

interface Props {
  setting: Setting;
  config: SftConfig;
  situation: DialSituation;
  /** Null where it is as the dial says. */
  own: { byDial: string } | null;
  fault: string | null;
  /** Why it cannot be changed now; null where it can. */
  fixed: string | null;
}

export function SettingField({ setting, config, situation, own, fault, fixed }: Props) {
  const id = useId();
  const value = valueOf(config, setting.key);
  const set = (next: SettingValue): void => setOne(setting.key, next, situation);
  const idle = fixed ?? setting.idle?.(config) ?? null;
  const grouped = setting.control === "choices";
  const head = <span className="setting-head">{setting.label} <code>{setting.name}</code></span>;
  return (
    <div className="setting" data-testid={`setting-${setting.name}`} data-own={own !== null}>
      {grouped ? <p id={`${id}-name`}>{head}</p> : <label htmlFor={id}>{head}</label>}
      {own !== null && fixed === null && (
        <p className="setting-own small">Your own; by the dial {own.byDial}. <button type="button" className="link" onClick={() => resetOne(setting.key)} aria-label={`${setting.label}: back to the dial’s`}>Back to the dial’s</button></p>
      )}
      <p id={`${id}-meaning`} className="small quiet">{setting.meaning}{idle !== null && ` ${fixed === null ? "Now it does nothing: " : ""}${idle}`}</p>
      <Control setting={setting} id={id} value={value} set={set} disabled={fixed !== null} invalid={fault !== null} />
      {fault !== null && <p id={`${id}-fault`} className="small setup-fault">{fault}</p>}
    </div>
  );
}

interface ControlProps {
  setting: Setting;
  id: string;
  value: SettingValue;
  set: (value: SettingValue) => void;
  disabled: boolean;
  invalid: boolean;
}

function Control({ setting, id, value, set, disabled, invalid }: ControlProps): ReactNode {
  const described = { "aria-describedby": invalid ? `${id}-meaning ${id}-fault` : `${id}-meaning`, disabled };
  switch (setting.control) {
    case "slider":
    case "number":
      return <NumberControl setting={setting} id={id} value={value as number} set={set} disabled={disabled} invalid={invalid} />;
    case "switch":
      return <p><label className="setting-check"><input id={id} type="checkbox" checked={value === true} {...described} onChange={(event) => set(event.currentTarget.checked)} /> {value === true ? "On" : "Off"}</label></p>;
    case "choice":
      return (
        <>
          <select id={id} className="field" value={String(value)} {...described} onChange={(event) => set(event.currentTarget.value)}>
            {setting.choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.label}</option>)}
          </select>
          <p className="small quiet">{setting.choices.find((choice) => choice.value === value)?.meaning}</p>
        </>
      );
    case "choices": {
      const chosen = value as readonly string[];
      return (
        <div role="group" aria-labelledby={`${id}-name`} aria-describedby={described["aria-describedby"]} className="setting-choices">
          {setting.choices.map((choice) => (
            <label key={choice.value} className="setting-check" title={choice.meaning}>
              <input type="checkbox" disabled={disabled} checked={chosen.includes(choice.value)} onChange={(event) => set(setting.choices.map((one) => one.value).filter((one) => (one === choice.value ? event.currentTarget.checked : chosen.includes(one))))} />
              {choice.label}
            </label>
          ))}
        </div>
      );
    }
    case "tokens":
      return <TextControl id={id} text={(value as readonly number[]).join(", ")} read={numbersOf} set={set} disabled={disabled} invalid={invalid} />;
    default:
      return setting satisfies never;
  }
}

function NumberControl({ setting, id, value, set, disabled, invalid }: Omit<ControlProps, "setting" | "value"> & { setting: NumberSetting; value: number }) {
  const words = valueWords(setting.key, value);
  return (
    <div className="setting-number">
      {setting.control === "slider" && (
        <input
          type="range" min={0} max={sliderSteps(setting.slider)} step={1} value={toSlider(setting.slider, value)} disabled={disabled}
          aria-label={setting.label} aria-valuetext={words} aria-describedby={`${id}-meaning`} onChange={(event) => set(fromSlider(setting, event.currentTarget.valueAsNumber))}
        />
      )}
      <TextControl id={id} text={Number.isNaN(value) ? "" : String(value)} read={numberOf} set={set} disabled={disabled} invalid={invalid} />
      <span className="small quiet">{Number.isNaN(value) ? "" : value === 0 && setting.zero !== undefined ? setting.zero : setting.unit}</span>
    </div>
  );
}

/** A field whose text stays as it is typed while it means what is set. */
function TextControl({ id, text, read, set, disabled, invalid }: { id: string; text: string; read: (text: string) => SettingValue; set: (value: SettingValue) => void; disabled: boolean; invalid: boolean }) {
  const [draft, setDraft] = useState(text);
  const shown = JSON.stringify(read(draft)) === JSON.stringify(read(text)) ? draft : text;
  return (
    <input
      id={id} className="field" type="text" inputMode="decimal" autoComplete="off" value={shown} disabled={disabled} aria-invalid={invalid} aria-describedby={invalid ? `${id}-meaning ${id}-fault` : `${id}-meaning`}
      onChange={(event) => {
        setDraft(event.currentTarget.value);
        set(read(event.currentTarget.value));
      }}
    />
  );
}
