/**
 * Conversations with a model, kept turn by turn: each is written whole when a
 * turn has ended, so that a closed tab loses at most the turn that was being
 * written. What a model is asked from them is lib/data's and the writer's.
 */
import { DuctusError } from "../core/errors";
import { announce } from "./changes";
import { newId, startingWith, transact } from "./db";
import { requireHand } from "./hands";
import { conversationSchema, type OnDamaged, readRecord, readRecords } from "./schema";
import type { Conversation, Turn } from "./types";

/** @throws DuctusError `store/missing` when the hand was deleted, `store/full` */
export async function createConversation(handId: string, adapterId: string | null, turns: readonly Turn[]): Promise<Conversation> {
  const now = Date.now();
  const conversation: Conversation = { id: newId(), handId, ...(adapterId === null ? {} : { adapterId }), createdAt: now, updatedAt: now, turns: [...turns] };
  await transact(["hands", "conversations"], "readwrite", async (tx) => {
    await requireHand(tx, handId);
    await tx.objectStore("conversations").add(conversation);
  }, "strict");
  announce({ kind: "conversations", handId });
  return conversation;
}

/** Puts the turns in the place of those before. @throws DuctusError `store/missing`, `store/full` */
export async function saveTurns(id: string, turns: readonly Turn[]): Promise<Conversation> {
  const conversation = await transact(["conversations"], "readwrite", async (tx) => {
    const value = await tx.objectStore("conversations").get(id);
    if (value === undefined) throw new DuctusError("store/missing", "This conversation is no longer here: it was deleted, perhaps in another tab.", "Start a new one.");
    const changed: Conversation = { ...readRecord(conversationSchema, value, "A conversation"), turns: [...turns], updatedAt: Date.now() };
    await tx.objectStore("conversations").put(changed);
    return changed;
  }, "strict");
  announce({ kind: "conversations", handId: conversation.handId });
  return conversation;
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
