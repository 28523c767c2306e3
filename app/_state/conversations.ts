/**
 * The list of a hand's conversations, and which of them is open: reads it, follows
 * what this tab and others store, goes from one to another, deletes. What is
 * being written when another one is opened is stopped, and kept as far as it has
 * come.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";
import { type Change, subscribe } from "../../lib/store/changes";
import { deleteConversation, getConversation, listConversations } from "../../lib/store/conversations";
import type { Conversation } from "../../lib/store/types";
import { endAnswer } from "./answering";
import { blank, change, changeOpen, chat, isKept, keep, noteDeleted, noteKept, type Open } from "./chat";
import { endOf, endUnder, merged, placed, type Placed } from "./thread";
import { workspace } from "./workspace";

let opened = false;

/** Reads the current hand's conversations and starts to listen; calling it again changes nothing. */
export function openChat(): void {
  if (opened) return;
  opened = true;
  subscribe((told) => void follow(told));
  workspace.subscribe(() => void followHand());
  void followHand();
}

async function followHand(): Promise<void> {
  const handId = workspace.get().hand?.id ?? null;
  if (handId === chat.get().handId) return;
  endAnswer();
  change({ handId, list: null, open: blank(handId), chosenAdapterId: null, fault: null, unkept: null, damaged: null });
  if (handId === null) return;
  await readList(handId);
  const { open, list } = chat.get();
  const [latest] = list ?? [];
  // Somebody who comes back reads on where they were, unless they have begun already.
  if (latest !== undefined && open.handId === handId && open.thread.length === 0) change({ open: openOf(latest) });
}

const openOf = ({ id, handId, adapterId, turns, showing }: Conversation): Open => {
  const thread = placed(turns);
  return { id, handId, thread, showing: endOf(thread, showing), adapterId: adapterId ?? null, gone: false };
};

async function readList(handId: string): Promise<void> {
  let damaged: SerializedError | null = null;
  try {
    const list = await listConversations(handId, (error) => (damaged ??= serializeError(error)));
    if (chat.get().handId !== handId) return;
    noteKept(list.map(({ id }) => id));
    change({ list, damaged });
  } catch (error) {
    if (chat.get().handId === handId) change({ list: chat.get().list ?? [], damaged: serializeError(error) });
  }
}

async function follow({ kind, handId }: Change): Promise<void> {
  const mine = chat.get().handId;
  if (mine === null || (kind !== "conversations" && kind !== "everything") || (handId !== undefined && handId !== mine)) return;
  await readList(mine);
  const { open, list, live } = chat.get();
  if (open.thread.length === 0 || open.gone) return;
  const stored = list?.find(({ id }) => id === open.id);
  if (stored === undefined) {
    // Looked for once more: it may have been stored since the list was read.
    if (isKept(open.id) && (await getConversation(open.id).catch(() => stored)) === null) changeOpen(open.id, { gone: true });
    return;
  }
  const thread = merged(open.thread, placed(stored.turns));
  // What another tab has added to the end of what is on show is shown.
  changeOpen(open.id, { thread, ...(live === null && open.showing !== null ? { showing: endUnder(thread, open.showing) } : {}) });
}

/** Makes ready to leave the open conversation. @returns false where something of it could not be stored, and is better not left */
async function leave(): Promise<boolean> {
  endAnswer();
  await keep();
  return chat.get().unkept === null;
}

/** Opens a conversation where it was left; nothing where the one that is open cannot be stored. */
export async function show(id: string): Promise<void> {
  if (chat.get().open.id === id || !(await leave())) return;
  const found = chat.get().list?.find((conversation) => conversation.id === id);
  if (found !== undefined) change({ open: openOf(found), chosenAdapterId: null, fault: null });
}

/** An empty one; it is stored with its first words. */
export async function startNew(): Promise<void> {
  if (chat.get().open.thread.length === 0 || !(await leave())) return;
  change({ open: blank(chat.get().handId), chosenAdapterId: null, fault: null });
}

/** Deletes the conversation with all its versions. @throws DuctusError `store/…` */
export async function remove(id: string): Promise<void> {
  const { handId, open } = chat.get();
  if (handId === null) return;
  if (open.id === id) endAnswer();
  await keep(); // what is on its way into the database would bring it back
  noteDeleted(id);
  await deleteConversation(handId, id);
  if (chat.get().open.id === id) change({ open: blank(handId), chosenAdapterId: null, fault: null, unkept: null });
}

/** Stores what another tab has deleted and is still on show here. */
export async function keepAfterAll(): Promise<void> {
  const { open } = chat.get();
  noteDeleted(open.id);
  changeOpen(open.id, { gone: false });
  await keep();
}

/** Shows another version of a turn, with what followed it. */
export function turnTo({ id }: Placed): void {
  const { open, live } = chat.get();
  if (live !== null) return;
  changeOpen(open.id, { showing: endUnder(open.thread, id) });
  change({ fault: null });
  void keep();
}
