"use client";
/** Goes round light, dark, and as the system has it. */
import { setTheme, theme, type Theme } from "../_state/theme";
import { useStore } from "../_state/use-store";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const WORDS: Record<Theme, string> = { system: "as the system", light: "light", dark: "dark" };

export function ThemeToggle() {
  const value = useStore(theme, (t) => t.value);
  return (
    <button type="button" className="icon-button" onClick={() => setTheme(NEXT[value])} title={`Colours: ${WORDS[value]}`} aria-label={`Colours: ${WORDS[value]}. Change to ${WORDS[NEXT[value]]}`}>
      <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.5">
        <circle cx="9" cy="9" r="7" />
        {value === "light" && <circle cx="9" cy="9" r="2.5" />}
        {value === "dark" && <circle cx="9" cy="9" r="4.5" fill="currentColor" stroke="none" />}
        {value === "system" && <path d="M9 2a7 7 0 0 1 0 14z" fill="currentColor" />}
      </svg>
    </button>
  );
}
