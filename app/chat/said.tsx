"use client";
/** What the person said: to read, to copy, and to say otherwise. */
import { useState, type KeyboardEvent } from "react";
import { CopyButton } from "../_components/copy-button";
import { revise } from "../_state/answering";
import { canAsk } from "../_state/asking";
import { chat } from "../_state/chat";
import type { Placed } from "../_state/thread";
import { useStore } from "../_state/use-store";
import { isSend } from "./composer";
import { Versions } from "./versions";

const ASKED = { chat: null, continue: "to go on with", keywords: "key words" } as const;

export function Said({ turn, editing, onEdit }: { turn: Placed; editing: boolean; onEdit: (on: boolean) => void }) {
  const busy = useStore(chat, (c) => c.live !== null);
  const form = turn.form ?? "chat";
  return (
    <li className="turn" data-testid="said" data-form={form}>
      <p className="turn-name">You{ASKED[form] !== null && <span>{ASKED[form]}</span>}</p>
      {editing ? <Edit turn={turn} onClose={() => onEdit(false)} /> : (
        <>
          <p className="turn-text">{turn.text}</p>
          <div className="turn-foot">
            <Versions turn={turn} what="message" />
            <CopyButton text={turn.text} what="this" />
            <button type="button" className="link small" data-testid="edit" disabled={busy} onClick={() => onEdit(true)}>Edit</button>
          </div>
        </>
      )}
    </li>
  );
}

function Edit({ turn, onClose }: { turn: Placed; onClose: () => void }) {
  const [text, setText] = useState(turn.text);
  const ready = canAsk(turn.form ?? "chat", text);
  const save = (): void => {
    if (!ready) return;
    onClose();
    if (text.trim() !== turn.text) void revise(turn, text);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") onClose();
    if (!isSend(event)) return;
    event.preventDefault();
    save();
  };
  return (
    <form className="turn-edit" onSubmit={(event) => { event.preventDefault(); save(); }}>
      <textarea className="field field-text composer-field" rows={2} autoFocus aria-label="Your message" data-testid="edit-field" value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={onKeyDown} />
      <div className="actions mt-2">
        <button type="submit" className="button" data-testid="edit-save" disabled={!ready}>Ask this instead</button>
        <button type="button" className="link" onClick={onClose}>Leave it</button>
        <span className="quiet small">How it was, and what followed, is kept; the arrows lead back to it.</span>
      </div>
    </form>
  );
}
