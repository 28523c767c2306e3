"use client";
/** The one button of training. */
import type { ReactNode } from "react";
import type { Hand } from "../../lib/store/types";
import { startRun } from "../_state/run";

export function StartButton({ hand, children, disabled = false, quiet = false, onStart }: { hand: Hand; children: ReactNode; disabled?: boolean; quiet?: boolean; onStart?: () => void }) {
  const start = (): void => {
    onStart?.();
    startRun({ handId: hand.id, device: "auto" });
  };
  return <button type="button" className={quiet ? "button" : "button button-primary"} data-testid="start-training" disabled={disabled} onClick={start}>{children}</button>;
}
