/**
 * Light, dark, or as the system has it. The choice lies in localStorage, because
 * public/theme.js must read it before the first paint, which IndexedDB cannot do.
 */
import { createStore } from "./store";

export type Theme = "system" | "light" | "dark";
const KEY = "ductus-theme";

export const theme = createStore<{ value: Theme }>({ value: "system" });

/** Reads what public/theme.js has set on the document. */
export function readTheme(): void {
  const set = document.documentElement.dataset.theme;
  theme.set({ value: set === "light" || set === "dark" ? set : "system" });
}

export function setTheme(value: Theme): void {
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
  try {
    if (value === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, value);
  } catch {
    // Storage is switched off; the choice lasts as long as the page.
  }
  theme.set({ value });
}
