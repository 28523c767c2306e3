"use client";
/** Which model the hand is taught to, and the way to another one. */
import Link from "next/link";
import { useEffect } from "react";
import type { Hand, Run, StoredModel } from "../../lib/store/types";
import { bitsWords, EMBEDDED_ID, EMBEDDED_NAME, parametersWords } from "../_components/model-words";
import { models, openModels } from "../_state/models";
import { useStore } from "../_state/use-store";

/** The hand's model where it is one that was brought in; null for the one that comes with the site, and for one that is gone. */
function useHandModel(hand: Hand): { stored: StoredModel | null; gone: boolean } {
  const all = useStore(models, (m) => m.stored);
  useEffect(() => void openModels(), []);
  const stored = all?.find(({ id }) => id === hand.model?.id) ?? null;
  return { stored, gone: hand.model !== undefined && all !== null && stored === null };
}

/** The name of the model that a run was learning with, where it is no longer here; whatever the hand is taught to now. */
export function useGoneModelOf(run: Run | null): string | null {
  const all = useStore(models, (m) => m.stored);
  useEffect(() => void openModels(), []);
  if (run === null || all === null || run.modelId === EMBEDDED_ID || all.some(({ id }) => id === run.modelSha256)) return null;
  return run.modelId;
}

export const useModelGone = (hand: Hand): boolean => useHandModel(hand).gone;

export function ModelLine({ hand }: { hand: Hand }) {
  const { stored, gone } = useHandModel(hand);
  return (
    <section className="margin-part">
      <h2>Model</h2>
      <p className="[overflow-wrap:anywhere]"><span data-testid="hand-model">{hand.model?.name ?? EMBEDDED_NAME}</span> · <Link className="link" href="/models">{gone ? "see what to do" : "change"}</Link></p>
      {stored !== null && <p className="small quiet">{parametersWords(stored.parameters)}, held with <span className="whitespace-nowrap">{bitsWords(stored.storage)}</span> numbers.</p>}
      {gone && <p className="small" data-testid="model-gone">It is no longer in this browser. Bring its folder in again, or choose another one.</p>}
    </section>
  );
}
