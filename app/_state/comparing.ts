/** Which part of the compare page is open, and which adapter is looked at: kept while the page is left and come back to. The part stands in the address, too. */
import { createStore } from "./store";

export const COMPARE_PARTS = ["read", "measured", "judge"] as const;
export type ComparePart = (typeof COMPARE_PARTS)[number];

export interface Comparing {
  part: ComparePart;
  /** Null: the hand's newest. */
  adapterId: string | null;
}

export const comparing = createStore<Comparing>({ part: "read", adapterId: null });

export function openPart(part: ComparePart): void {
  comparing.set((c) => ({ ...c, part }));
  history.replaceState(history.state, "", part === "read" ? location.pathname : `#${part}`);
}

/** Opens the part that the address names; without one, what was open stays, and the address says so. */
export function followAddress(): void {
  const named = COMPARE_PARTS.find((part) => location.hash === `#${part}`);
  openPart(named ?? comparing.get().part);
}

export const chooseAdapter = (adapterId: string): void => comparing.set((c) => ({ ...c, adapterId }));
