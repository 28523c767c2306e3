"use client";
/** The one button of training: the dial's settings, and what the person has set otherwise. */
import type { ReactNode } from "react";
import type { Hand } from "../../lib/store/types";
import { startNext } from "../_state/starting";
import { useRecipe } from "./use-recipe";

export function StartButton({ hand, children, disabled = false, quiet = false, onStart }: { hand: Hand; children: ReactNode; disabled?: boolean; quiet?: boolean; onStart?: () => void }) {
  const { faults } = useRecipe(hand);
  const start = (): void => {
    onStart?.();
    startNext(hand);
  };
  return <button type="button" className={quiet ? "button" : "button button-primary"} data-testid="start-training" disabled={disabled || faults.length > 0} onClick={start}>{children}</button>;
}
