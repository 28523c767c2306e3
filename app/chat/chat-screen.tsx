"use client";
/** Decides what the chat page shows: a conversation, or the way to one. */
import Link from "next/link";
import { useEffect } from "react";
import { Waiting } from "../_components/waiting";
import { warmWriter } from "../_engine/writer";
import { chat } from "../_state/chat";
import { openChatSettings } from "../_state/chat-settings";
import { openChat } from "../_state/conversations";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { Desk } from "./desk";

export function ChatScreen() {
  const { phase, hand, adapters } = useStore(workspace, (w) => w);
  const handId = useStore(chat, (c) => c.handId);
  const list = useStore(chat, (c) => c.list);
  useEffect(() => {
    openChatSettings();
    openChat();
    warmWriter();
  }, []);

  if (phase === "loading" || (hand !== null && (handId !== hand.id || list === null))) return <Waiting title="Chat" />;
  if (hand === null || list === null) {
    return (
      <div className="folio-wide">
        <h1 className="title">There is nobody to talk with yet</h1>
        <p className="lead">Once there is a hand here, its model answers you, goes on with your text, or writes from key words. <Link className="link" href="/">Begin with some writing</Link>.</p>
      </div>
    );
  }
  return <Desk hand={hand} adapters={adapters} list={list} />;
}
