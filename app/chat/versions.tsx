"use client";
/** Leads from one version of a turn to another; nothing where there is only one. */
import { useMemo } from "react";
import { chat } from "../_state/chat";
import { turnTo } from "../_state/conversations";
import { type Placed, versionsOf } from "../_state/thread";
import { useStore } from "../_state/use-store";

export function Versions({ turn, what }: { turn: Placed; what: "message" | "answer" }) {
  const thread = useStore(chat, (c) => c.open.thread);
  const busy = useStore(chat, (c) => c.live !== null);
  const versions = useMemo(() => versionsOf(thread, turn), [thread, turn]);
  if (versions.length < 2) return null;
  const at = versions.findIndex(({ id }) => id === turn.id);
  const step = (by: -1 | 1, label: string, sign: string) => {
    const other = versions[at + by];
    // Not `disabled`, which would take the focus away at the last version.
    return <button type="button" className="versions-step" aria-label={label} aria-disabled={busy || other === undefined} onClick={() => { if (other !== undefined) turnTo(other); }}>{sign}</button>;
  };
  return (
    <span className="versions" role="group" aria-label={`Versions of this ${what}`} data-testid="versions">
      {step(-1, `Earlier version of this ${what}`, "‹")}
      <span aria-live="polite">{at + 1}/{versions.length}</span>
      {step(1, `Later version of this ${what}`, "›")}
    </span>
  );
}
