"use client";
/** The way to the settings: three rules with their marks, as on an instrument. */
import Link from "next/link";
import { usePathname } from "next/navigation";

export function SettingsLink() {
  const here = usePathname() === "/settings";
  return (
    <Link href="/settings" className="icon-button" title="Settings" aria-label="Settings" data-testid="settings-link" aria-current={here ? "page" : undefined}>
      <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
        <path d="M2 4.5h14M2 9h14M2 13.5h14" />
        <g fill="var(--paper)">
          <circle cx="12" cy="4.5" r="1.75" />
          <circle cx="5.5" cy="9" r="1.75" />
          <circle cx="10" cy="13.5" r="1.75" />
        </g>
      </svg>
    </Link>
  );
}
