"use client";
/** What the person said: to read, to copy, and to say otherwise. */
import { useState, type KeyboardEvent } from "react";
import { CopyButton } from "../_components/copy-button";
import { revise } from "../_state/answering";
import { canAsk } from "../_state/asking";
import { change, chat } from "../_state/chat";
import type { Placed } from "../_state/thread";
import { useStore } from "../_state/use-store";
import { isSend } from "./keys";
import { Versions } from "./versions";

const ASKED = { chat: null, continue: "to go on with", keywords: "key words" } as const;

export function Said({ turn }: { turn: Placed }) {
  const busy = useStore(chat, (c) => c.live !== null);
  const editing = useStore(chat, (c) => (c.editing?.id === turn.id ? c.editing : null));
  const [left, setLeft] = useState(false);
  const form = turn.form ?? "chat";
  return (
    <li className="turn" data-testid="said" data-form={form}>
      <p className="turn-name">You{ASKED[form] !== null && <span>{ASKED[form]}</span>}</p>
      {editing !== null ? <Edit turn={turn} text={editing.text} onClose={() => { change({ editing: null }); setLeft(true); }} /> : (
        <>
          <p className="turn-text">{turn.text}</p>
          <div className="turn-foot">
            <Versions turn={turn} what="message" />
            <CopyButton text={turn.text} what="this" />
            <button type="button" className="link small" data-testid="edit" disabled={busy} autoFocus={left} onClick={() => change({ editing: { id: turn.id, text: turn.text } })}>Edit</button>
          </div>
        </>
      )}
    </li>
  );
}

function Edit({ turn, text, onClose }: { turn: Placed; text: string; onClose: () => void }) {
  const busy = useStore(chat, (c) => c.live !== null);
  const ready = !busy && canAsk(turn.form ?? "chat", text);
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
      <textarea className="field field-text composer-field" rows={2} autoFocus aria-label="Your message" data-testid="edit-field" value={text} onChange={(event) => change({ editing: { id: turn.id, text: event.currentTarget.value } })} onKeyDown={onKeyDown} />
      <div className="actions mt-2">
        <button type="submit" className="button" data-testid="edit-save" disabled={!ready}>Ask this instead</button>
        <button type="button" className="link" onClick={onClose}>Leave it</button>
        <span className="quiet small">How it was, and what followed, is kept; the arrows lead back to it.</span>
      </div>
    </form>
  );
}
