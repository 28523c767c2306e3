"use client";
/** How the next run is set: the dial, what it would take, what it begins from, and every setting behind Advanced. */
import dynamic from "next/dynamic";
import { useState, type ReactNode } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Hand } from "../../lib/store/types";
import { date, plural } from "../_components/format";
import { goOnFrom, resetAll, resetOne } from "../_state/recipe";
import { fitsHand } from "../_state/situation";
import { startAdapter } from "../_state/starting";
import { Dial } from "./dial";
import { ForecastLines } from "./forecast";
import { useForecast, useRecipe, type RecipeView } from "./use-recipe";

const Advanced = dynamic(() => import("./advanced").then((part) => part.Advanced), { ssr: false, loading: () => <p className="quiet small">Opening…</p> });

/**
 * @param children the button to start with, before what is folded away
 * @param open Advanced is open from the first, as where a link has brought settings
 */
export function Setup({ hand, adapters, open: opened = false, children }: { hand: Hand; adapters: readonly AdapterInfo[]; open?: boolean; children?: ReactNode }) {
  const view = useRecipe(hand);
  useForecast(hand, view, true);
  const [toggled, setOpen] = useState<boolean | null>(null);
  const open = toggled ?? opened;
  return (
    <section className="setup" aria-label="How the run is set" data-testid="setup">
      <Dial position={view.recipe.position} situation={view.situation} />
      <ForecastLines hand={hand} view={view} />
      <Own view={view} />
      <Begin hand={hand} adapters={adapters} />
      {children}
      <details className="folded" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary data-testid="advanced">Advanced: every setting and what it means</summary>
        {open && <Advanced hand={hand} />}
      </details>
    </section>
  );
}

/** What the person has set otherwise than the dial. */
function Own({ view: { own, faults } }: { view: RecipeView }) {
  if (own.length === 0) return null;
  return (
    <div className="setup-own" data-testid="own-settings">
      <p className="small">{plural(own.length, "setting is", "settings are")} your own: <button type="button" className="link" data-testid="reset-all" onClick={resetAll}>back to the dial’s</button></p>
      <ul className="small">
        {own.map(({ key, label, own: value, byDial }) => (
          <li key={key}>{label}: {value}, <span className="quiet">by the dial {byDial}</span> <button type="button" className="link" onClick={() => resetOne(key)} aria-label={`${label}: back to the dial’s`}>back</button></li>
        ))}
      </ul>
      {faults.length > 0 && <p className="small setup-fault" role="alert">{faults.map(({ message }) => message).join(" ")}</p>}
    </div>
  );
}

/** The model as it came, or what an adapter has learned already. */
function Begin({ hand, adapters }: { hand: Hand; adapters: readonly AdapterInfo[] }) {
  const fitting = adapters.filter((adapter) => fitsHand(adapter, hand));
  if (fitting.length === 0) return null;
  return (
    <label className="setup-begin">
      <span className="label">Begins with</span>
      <select className="field" data-testid="begin-with" value={startAdapter(hand)?.id ?? ""} onChange={(event) => goOnFrom(event.currentTarget.value || null)}>
        <option value="">the model as it came</option>
        {[...fitting].reverse().map(({ id, name, createdAt }) => <option key={id} value={id}>{`what “${name}” has learned, ${date(createdAt)}`}</option>)}
      </select>
    </label>
  );
}
