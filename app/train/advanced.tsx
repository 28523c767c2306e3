"use client";
/** Every setting by its group, to be searched; and all of them out and in, as a file or a link. Loaded when it is opened. */
import { useId, useState } from "react";
import type { Hand } from "../../lib/store/types";
import { SETTING_GROUPS, SETTINGS, type Setting } from "../../lib/train/sft/settings";
import { forecast } from "../_state/forecast";
import { startAdapter } from "../_state/starting";
import { useStore } from "../_state/use-store";
import { ConfigFiles } from "./config-files";
import { SettingField } from "./setting-field";
import { useRecipe } from "./use-recipe";

export function Advanced({ hand }: { hand: Hand }) {
  const view = useRecipe(hand);
  const [wanted, setWanted] = useState("");
  const predicted = useStore(forecast, (f) => (f.about?.handId === hand.id ? f.predicted : null));
  const id = useId();
  const goesOn = startAdapter(hand) !== null;
  const shown = SETTINGS.filter((setting) => matches(setting, wanted));
  // What an adapter settles is shown as it will be.
  const settled = goesOn && predicted !== null ? { ...view.config, lora: { ...predicted.config.lora, dropout: view.config.lora.dropout } } : view.config;
  return (
    <div className="advanced" data-testid="settings-panel">
      <ConfigFiles hand={hand} view={view} />
      <label className="label" htmlFor={id}>Search the settings</label>
      <input id={id} className="field" type="search" data-testid="settings-search" value={wanted} onChange={(event) => setWanted(event.currentTarget.value)} />
      <p className="small quiet" role="status">{wanted === "" ? `${SETTINGS.length} settings; beside each its name in TRL and PEFT.` : shown.length === 0 ? "No setting has that in its name or meaning." : `${shown.length} of ${SETTINGS.length}.`}</p>
      {SETTING_GROUPS.map((group) => {
        const inside = shown.filter((setting) => setting.group === group.id);
        return inside.length > 0 && (
          <section key={group.id} aria-labelledby={`${id}-${group.id}`}>
            <h3 id={`${id}-${group.id}`} className="section-title">{group.label}</h3>
            {inside.map((setting) => (
              <SettingField
                key={setting.key} setting={setting} config={settled} situation={view.situation}
                own={view.own.find(({ key }) => key === setting.key) ?? null}
                fault={view.faults.find(({ key }) => key === setting.key)?.message ?? null}
                fixed={goesOn && setting.key.startsWith("lora.") && setting.key !== "lora.dropout" ? "It is that of what the run begins with." : null}
              />
            ))}
          </section>
        );
      })}
    </div>
  );
}

function matches({ name, label, meaning, group }: Setting, wanted: string): boolean {
  const words = wanted.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const text = `${name} ${label} ${meaning} ${SETTING_GROUPS.find(({ id }) => id === group)?.label ?? ""}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
