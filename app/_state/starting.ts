/** Starts a run with the recipe as it stands, and keeps what was said of it beforehand. */
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Hand } from "../../lib/store/types";
import type { RunPrediction } from "../../lib/train/sft/predict";
import { askForecast, forecast, type ForecastQuestion, isAbout } from "./forecast";
import { configOf, goOnFrom, recipe } from "./recipe";
import { foretell, startRun } from "./run";
import { fitsHand, situationOf } from "./situation";
import { workspace } from "./workspace";

/** What the next run would be, for its forecast and its start alike. */
export function nextRun(hand: Hand): ForecastQuestion {
  const current = recipe.get();
  return { handId: hand.id, config: configOf(current, situationOf(hand)), startAdapterId: startAdapter(hand)?.id ?? null };
}

/** The adapter to go on from, where it is this hand's and of its model. */
export function startAdapter(hand: Hand): AdapterInfo | null {
  const { startAdapterId } = recipe.get();
  return workspace.get().adapters.find((adapter) => adapter.id === startAdapterId && fitsHand(adapter, hand)) ?? null;
}

export function startNext(hand: Hand): void {
  const next = nextRun(hand);
  const { handId, config, startAdapterId } = next;
  const said = foretold(next);
  startRun({ handId, config, device: "auto", ...(startAdapterId === null ? {} : { startAdapterId }) }, said);
  goOnFrom(null);
  if (said !== null) return;
  // Begun before it could be said; it is said while the model is being opened.
  askForecast(next);
  const unsubscribe = forecast.subscribe(() => {
    if (forecast.get().waiting) return;
    unsubscribe();
    const prediction = foretold(next);
    if (prediction !== null) foretell(prediction);
  });
}

function foretold(next: ForecastQuestion): RunPrediction | null {
  const current = forecast.get();
  return isAbout(current, next) ? (current.predicted?.prediction ?? null) : null;
}
