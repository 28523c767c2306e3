"use client";
/** The recipe of the next run with what follows from it for a hand: the settings, what is the person's own, what cannot be. */
import { useEffect, useMemo } from "react";
import type { Hand } from "../../lib/store/types";
import type { SftConfig } from "../../lib/train/sft/config";
import type { DialSituation } from "../../lib/train/sft/dial";
import { settingErrors, type SettingError } from "../../lib/train/sft/setting-errors";
import { askForecast, forecast } from "../_state/forecast";
import { models, openModels } from "../_state/models";
import { configOf, openRecipe, ownSettings, recipe, type Recipe } from "../_state/recipe";
import { situationOf } from "../_state/situation";
import { nextRun, startAdapter } from "../_state/starting";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";

export interface RecipeView {
  recipe: Recipe;
  situation: DialSituation;
  config: SftConfig;
  own: ReturnType<typeof ownSettings>;
  faults: readonly SettingError[];
}

export function useRecipe(hand: Hand): RecipeView {
  const current = useStore(recipe, (r) => r);
  const used = useStore(workspace, (w) => w.used);
  const stored = useStore(models, (m) => m.stored);
  const predicted = useStore(forecast, (f) => (f.about?.handId === hand.id ? f.predicted : null));
  useEffect(() => {
    openRecipe();
    void openModels();
  }, []);
  const limits = predicted?.limits;
  return useMemo(() => {
    const situation = situationOf(hand);
    const config = configOf(current, situation);
    return { recipe: current, situation, config, own: ownSettings(current, situation), faults: settingErrors(config, limits ?? {}) };
    // The situation is read from the writing and the models.
  }, [hand, current, used, stored, limits]);
}

/** Has the next run foretold, anew whenever something of it changes. @param on false while nothing can begin */
export function useForecast(hand: Hand, { config, faults }: RecipeView, on: boolean): void {
  const used = useStore(workspace, (w) => w.used);
  const startId = useStore(recipe, () => startAdapter(hand)?.id ?? null);
  const valid = on && faults.length === 0;
  const key = JSON.stringify(config);
  useEffect(() => {
    return valid ? askForecast(nextRun(hand)) : undefined;
    // `key` is the settings.
  }, [hand, key, startId, used, valid]);
}
