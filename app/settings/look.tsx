"use client";
/** Light, dark, or as the system has it. */
import { setTheme, theme, type Theme } from "../_state/theme";
import { useStore } from "../_state/use-store";

const CHOICES: [value: Theme, name: string][] = [["system", "As the system has it"], ["light", "Light"], ["dark", "Dark"]];

export function Look() {
  const chosen = useStore(theme, (t) => t.value);
  return (
    <fieldset className="forms">
      <legend className="sr-only">Colours</legend>
      {CHOICES.map(([value, name]) => (
        <label key={value} data-checked={chosen === value}>
          <input type="radio" name="theme" value={value} checked={chosen === value} onChange={() => setTheme(value)} />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
