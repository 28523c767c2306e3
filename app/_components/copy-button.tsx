"use client";
/** Copies a text and says so. */
import { useEffect, useState } from "react";

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = (): void => {
    const { clipboard } = navigator as { clipboard?: Clipboard }; // not on a page whose address is not secure
    if (clipboard === undefined) return setState("failed");
    clipboard.writeText(text).then(() => setState("copied"), () => setState("failed"));
  };
  return (
    <button type="button" className="link small" onClick={copy}>
      <span aria-live="polite">{state === "copied" ? "Copied" : state === "failed" ? "The browser did not allow it; select and copy by hand" : `Copy ${what}`}</span>
    </button>
  );
}
