"use client";
/** Opening and closing of something that hangs from a button: Escape and a click elsewhere close it, and focus goes back. */
import { useEffect, useRef, useState, type RefObject } from "react";

interface Disclosure<Root extends HTMLElement> {
  open: boolean;
  setOpen: (open: boolean) => void;
  root: RefObject<Root | null>;
  button: RefObject<HTMLButtonElement | null>;
}

export function useDisclosure<Root extends HTMLElement>(): Disclosure<Root> {
  const [open, setOpen] = useState(false);
  const root = useRef<Root>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    const onElsewhere = (event: Event): void => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("keydown", onKey);
    document.addEventListener("pointerdown", onElsewhere);
    document.addEventListener("focusin", onElsewhere);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("pointerdown", onElsewhere);
      document.removeEventListener("focusin", onElsewhere);
    };
  }, [open]);
  return { open, setOpen, root, button };
}
