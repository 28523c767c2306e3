/**
 * The conversation that is open, what is being written in it, and the list of the
 * others. It belongs to no screen: leaving the page neither stops nor loses
 * anything. The database is the truth; what has been said is stored at once, turn
 * by turn. Asking is in answering.ts, opening and deleting in conversations.ts.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { addTurns, createConversation } from "../../lib/store/conversations";
import { newId } from "../../lib/store/db";
import type { Conversation, DeviceReport, TurnSampling } from "../../lib/store/types";
import type { Voice } from "../../workers/protocol";
import type { Form } from "./asking";
import { createStore } from "./store";
import type { Placed, Thread } from "./thread";

export interface Open {
  /** Known before it is stored. */
  id: string;
  handId: string | null;
  thread: Thread;
  /** The end of what is on show; null where nothing has been said. */
  showing: string | null;
  /** Whom it was begun with; null: the model as it came. */
  adapterId: string | null;
  /** Deleted in another tab: what is on show is all there is of it. */
  gone: boolean;
}

/** What one voice has written so far. */
export interface LiveRow {
  voice: Voice;
  text: string;
  /** Null while it is being written. */
  stop: "end" | "length" | "stopped" | null;
  forgotten: number;
}

/** An answer that is being written. */
export interface Live {
  /** The turn that it answers, which is the end of what is on show. */
  after: string;
  rows: readonly LiveRow[];
  adapterId: string | null;
  seed: number;
  sampling: TurnSampling;
  /** Bytes of the model, while it is being fetched. */
  loading: { done: number; total: number } | null;
  /** Asked to stop; the last words may still come. */
  stopping: boolean;
}

export interface Chat {
  /** Whose conversations these are. */
  handId: string | null;
  /** Latest first; null until they have been read. */
  list: readonly Conversation[] | null;
  open: Open;
  live: Live | null;
  /** Chosen for this conversation; null: as it was. */
  chosenAdapterId: string | null;
  draft: { form: Form; text: string };
  /** A turn that is being said otherwise, as far as it has come. */
  editing: { id: string; text: string } | null;
  /** Why a turn has no answer, or one that broke off. */
  fault: { after: string; error: SerializedError } | null;
  /** Why the last turns could not be stored; they are on show, and here until the tab is closed. */
  unkept: SerializedError | null;
  /** A conversation that cannot be read; it is passed over. */
  damaged: SerializedError | null;
  device: DeviceReport | null;
}

export const blank = (handId: string | null): Open => ({ id: newId(), handId, thread: [], showing: null, adapterId: null, gone: false });

export const chat = createStore<Chat>({
  handId: null, list: null, open: { ...blank(null), id: "" }, live: null, chosenAdapterId: null, draft: { form: "chat", text: "" }, editing: null, fault: null, unkept: null, damaged: null, device: null,
});

export const change = (part: Partial<Chat>): void => chat.set((c) => ({ ...c, ...part }));

/** Only if it is still the one that is open. */
export function changeOpen(id: string, part: Partial<Open>): void {
  chat.set((c) => (c.open.id === id ? { ...c, open: { ...c.open, ...part } } : c));
}

/** Puts a turn at the end of what is on show, and stores it. */
export function place(turn: Placed): void {
  const { open } = chat.get();
  changeOpen(open.id, { thread: [...open.thread, turn], showing: turn.id });
  void keep();
}

/** Conversations that are in the database, as far as this tab knows. */
const kept = new Set<string>();
export const isKept = (id: string): boolean => kept.has(id);
export const noteKept = (ids: readonly string[]): void => ids.forEach((id) => kept.add(id));
export const noteDeleted = (id: string): void => void kept.delete(id);

let storing: Promise<void> = Promise.resolve();

/** Stores what is open as it stands now, after what was to be stored before. Where that fails, `unkept` says why. */
export function keep(): Promise<void> {
  const { open } = chat.get();
  return (storing = storing.then(() => store(open)));
}

async function store({ id, handId, thread, showing, adapterId }: Open): Promise<void> {
  const { open } = chat.get();
  if (handId === null || thread.length === 0 || (open.id === id && open.gone)) return;
  const known = kept.has(id);
  try {
    if (known) await addTurns(id, thread, showing ?? undefined);
    else await createConversation(handId, adapterId, thread, { id, ...(showing === null ? {} : { showing }) });
    kept.add(id);
    change({ unkept: null });
  } catch (error) {
    if (known && error instanceof DuctusError && error.code === "store/missing") changeOpen(id, { gone: true });
    else change({ unkept: serializeError(error) });
  }
}
