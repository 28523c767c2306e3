"use client";
/** Says to screen readers how a run goes, politely. */
import { useEffect, useState } from "react";
import { announceRun } from "./run-announcements";

export function RunAnnouncer() {
  const [text, setText] = useState("");
  useEffect(() => announceRun(setText), []);
  return <p className="sr-only" role="status" aria-live="polite">{text}</p>;
}
