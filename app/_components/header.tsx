"use client";
/** Name, steps with their states, the current hand, and the theme. */
import Link from "next/link";
import { HandSwitch } from "./hand-switch";
import { Mark } from "./mark";
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
          </div>
        </div>
      </div>
      <hr className="mast-rule" />
    </header>
  );
}
