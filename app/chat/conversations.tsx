"use client";
/** The hand's conversations, latest first, each by its first line. */
import { useMemo } from "react";
import type { Conversation } from "../../lib/store/types";
import { date } from "../_components/format";
import { show } from "../_state/conversations";
import { endOf, pathTo, placed, titleOf } from "../_state/thread";

export function Conversations({ list, openId }: { list: readonly Conversation[]; openId: string }) {
  const rows = useMemo(() => list.map(({ id, turns, showing, updatedAt }) => {
    const thread = placed(turns);
    return { id, updatedAt, title: titleOf(pathTo(thread, endOf(thread, showing))) };
  }), [list]);
  if (rows.length === 0) return null;
  return (
    <nav className="margin-part" aria-labelledby="conversations">
      <h2 id="conversations">Conversations</h2>
      <ul className="chat-list">
        {rows.map(({ id, title, updatedAt }) => (
          <li key={id}>
            <button type="button" data-testid="conversation" aria-current={id === openId} onClick={() => void show(id)}>
              <span className="chat-list-title">{title}</span>
              <span className="small quiet">{date(updatedAt)}</span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
