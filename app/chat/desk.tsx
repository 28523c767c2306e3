"use client";
/** The open conversation with its composer, and in the margin the settings and the other conversations. */
import Link from "next/link";
import { useEffect, useMemo, useRef, useState } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Conversation, Hand } from "../../lib/store/types";
import { Confirm } from "../_components/confirm";
import { CopyButton } from "../_components/copy-button";
import { ErrorNote } from "../_components/error-note";
import { speakerOf, stopAnswer } from "../_state/answering";
import { chat, keep } from "../_state/chat";
import { keepAfterAll, remove, startNew } from "../_state/conversations";
import { isActive, run } from "../_state/run";
import { pathTo, plainText, titleOf } from "../_state/thread";
import { useStore } from "../_state/use-store";
import { Composer } from "./composer";
import { Conversations } from "./conversations";
import { Folio } from "./folio";
import { Settings } from "./settings";

export function Desk({ hand, adapters, list }: { hand: Hand; adapters: readonly AdapterInfo[]; list: readonly Conversation[] }) {
  const { open, live, chosenAdapterId, unkept, damaged, device } = useStore(chat, (c) => c);
  const [deleting, setDeleting] = useState(false);
  const composer = useRef<HTMLTextAreaElement>(null);
  const path = useMemo(() => pathTo(open.thread, open.showing), [open.thread, open.showing]);
  const { adapter, gone } = useMemo(() => speakerOf(chosenAdapterId, open, adapters), [chosenAdapterId, open, adapters]);
  const training = useStore(run, (r) => isActive(r.live));
  const writing = live !== null;

  useEffect(() => {
    if (!writing) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") stopAnswer();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [writing]);

  const begin = (): void => {
    void startNew();
    composer.current?.focus();
  };
  const title = titleOf(path);
  const empty = path.length === 0;
  return (
    <div className="chat">
      <div className="min-w-0">
        <div className="chat-head">
          <h1 className="title" data-testid="chat-title">{empty ? "Chat" : title}</h1>
          {!empty && (
            <div className="chat-tools">
              <button type="button" className="link small" data-testid="new-conversation" onClick={begin}>New conversation</button>
              <CopyButton text={plainText(path)} what="all" />
              <button type="button" className="link small quiet" data-testid="delete-conversation" onClick={() => setDeleting(true)}>Delete…</button>
            </div>
          )}
        </div>
        {empty && <Expect hand={hand} adapter={adapter} />}
        {gone && (
          <p className="note note-quiet mt-6" data-testid="adapter-gone">
            What this conversation was with is no longer here. {adapter === null ? "The model answers as it came." : `“${adapter.name}” answers from now on.`}
          </p>
        )}
        <Folio path={path} adapters={adapters} />
        {open.gone && (
          <div className="note mt-6" role="status" data-testid="deleted-elsewhere">
            <p className="note-title">This conversation was deleted in another tab.</p>
            <p>What you see is all there is of it, and goes with this page.</p>
            <div className="actions mt-3"><button type="button" className="button" onClick={() => void keepAfterAll()}>Keep it after all</button></div>
          </div>
        )}
        {unkept !== null && <div className="mt-6"><ErrorNote error={unkept}><button type="button" className="button" onClick={() => void keep()}>Try to keep it again</button></ErrorNote></div>}
        {training && <p className="quiet small mt-6" data-testid="training">The model is learning in this tab. It writes all the same, more slowly, and learns more slowly meanwhile.</p>}
        <Composer ref={composer} adapter={adapter} />
      </div>
      <aside className="margin">
        <Settings adapter={adapter} adapters={adapters} device={device} />
        <Conversations list={list} openId={open.id} />
        {damaged !== null && <div className="margin-part"><ErrorNote error={damaged} /></div>}
      </aside>
      {deleting && (
        <Confirm
          title="Delete this conversation?"
          body={`“${title}” will be deleted from this browser, with every version of its answers. There is no other copy, except for what you have copied.`}
          action="Delete it"
          onConfirm={() => remove(open.id)}
          onClose={() => setDeleting(false)}
        />
      )}
    </div>
  );
}

/** What may be hoped for of a model this small, before the first word. */
function Expect({ hand, adapter }: { hand: Hand; adapter: AdapterInfo | null }) {
  return (
    <>
      <p className="lead">
        {hand.model === undefined
          ? "Say something, and the model answers much as people do in chat logs. It is very small: read it for its style, and take nothing it says for a fact."
          : "Say something, and the model answers. Read it for its style, and take nothing it says for a fact without looking it up."}
      </p>
      <p className="lead">
        {adapter === null
          ? <>It has not been taught this hand yet, so it answers as it came. <Link className="link" href="/train">Train it</Link>, and it will answer in the hand.</>
          : "It learned the hand from whole passages, so the hand shows most where it goes on with your text."}
      </p>
    </>
  );
}
