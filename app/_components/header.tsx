"use client";
/** Name, steps with their states, the current hand, the theme, and the way to the settings. */
import Link from "next/link";
import { HandSwitch } from "./hand-switch";
import { Mark } from "./mark";
import { SettingsLink } from "./settings-link";
import { Steps } from "./steps";
import { ThemeToggle } from "./theme-toggle";

export function Header() {
  return (
    <header>
      <div className="frame">
        <div className="mast">
          <Link href="/" className="wordmark" aria-label="Ductus, start"><Mark />Ductus</Link>
          <Steps />
          <div className="mast-end">
            <HandSwitch />
            <ThemeToggle />
            <SettingsLink />
          </div>
        </div>
      </div>
      <hr className="mast-rule" />
    </header>
  );
}
