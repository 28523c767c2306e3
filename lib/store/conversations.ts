/**
 * Conversations with a model, kept turn by turn: each is stored as soon as it has
 * ended, so that a closed tab loses at most the turn that was being written.
 * Turns are only ever added, so two tabs that write in the same conversation lose
 * nothing of one another. What a model is asked from them is lib/data's and the
 * writer's.
 */
import { DuctusError } from "../core/errors";
import { announce } from "./changes";
import { newId, startingWith, transact } from "./db";
import { requireHand } from "./hands";
import { conversationSchema, type OnDamaged, readRecord, readRecords } from "./schema";
import type { Conversation, Turn } from "./types";

/**
 * @param options `id`: one that newId() gave, where it is known before it is stored; `showing`: the turn to open it at
 * @throws DuctusError `store/missing` when the hand was deleted, `store/full`
 */
export async function createConversation(handId: string, adapterId: string | null, turns: readonly Turn[], options: { id?: string; showing?: string } = {}): Promise<Conversation> {
  const now = Date.now();
  const { id = newId(), showing } = options;
  const conversation: Conversation = { id, handId, ...(adapterId === null ? {} : { adapterId }), createdAt: now, updatedAt: now, turns: [...turns], ...(showing === undefined ? {} : { showing }) };
  await transact(["hands", "conversations"], "readwrite", async (tx) => {
    await requireHand(tx, handId);
    await tx.objectStore("conversations").add(conversation);
  }, "strict");
  announce({ kind: "conversations", handId });
  return conversation;
}

/**
 * Adds the turns that are not there yet, by their ids; those that are there stay as they are.
 * @param showing the turn to open it at from now on; absent: as before
 * @throws DuctusError `store/missing` when it was deleted, `store/full`
 */
export async function addTurns(id: string, turns: readonly (Turn & { id: string })[], showing?: string): Promise<Conversation> {
  const conversation = await transact(["conversations"], "readwrite", async (tx) => {
    const value = await tx.objectStore("conversations").get(id);
    if (value === undefined) throw new DuctusError("store/missing", "This conversation is no longer here: it was deleted, perhaps in another tab.", "Start a new one.");
    const before = readRecord(conversationSchema, value, "A conversation");
    const known = new Set(before.turns.map((turn) => turn.id));
    const added = turns.filter((turn) => !known.has(turn.id));
    const changed: Conversation = { ...before, turns: [...before.turns, ...added], ...(showing === undefined ? {} : { showing }), ...(added.length === 0 ? {} : { updatedAt: Date.now() }) };
    await tx.objectStore("conversations").put(changed);
    return changed;
  }, "strict");
  announce({ kind: "conversations", handId: conversation.handId });
  return conversation;
}

/** Null when it is not there (any more). @throws DuctusError `store/damaged` */
export async function getConversation(id: string): Promise<Conversation | null> {
  const value = await transact(["conversations"], "readonly", (tx) => tx.objectStore("conversations").get(id));
  return value === undefined ? null : readRecord(conversationSchema, value, "A conversation");
}

/** Latest first. */
export async function listConversations(handId: string, onDamaged?: OnDamaged): Promise<Conversation[]> {
  const values = await transact(["conversations"], "readonly", (tx) => tx.objectStore("conversations").index("byHand").getAll(startingWith(handId)));
  return readRecords(conversationSchema, values, "A conversation", onDamaged).reverse();
}

export async function deleteConversation(handId: string, id: string): Promise<void> {
  await transact(["conversations"], "readwrite", (tx) => tx.objectStore("conversations").delete(id), "strict");
  announce({ kind: "conversations", handId });
}
