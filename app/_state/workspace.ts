/**
 * The hands and what belongs to the current one, as the screens see it. The
 * database is the truth: this reads it on loading and again whenever a worker,
 * this tab or another one says that something changed. A live run is in run.ts.
 */
import { type DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { listAdapters, type AdapterInfo } from "../../lib/store/adapters";
import { subscribe, type Change } from "../../lib/store/changes";
import { listDocuments, usedDocuments } from "../../lib/store/documents";
import { getSetting, listHands, setSetting } from "../../lib/store/hands";
import { listRuns, markInterrupted } from "../../lib/store/runs";
import type { Hand, Run, StoredDocument } from "../../lib/store/types";
import { ifNoRun, untilRunLockFree } from "../_engine/run-lock";
import { createStore } from "./store";

export interface Workspace {
  phase: "loading" | "ready" | "failed";
  error: SerializedError | null;
  hands: readonly Hand[];
  /** The current hand; null where there is none yet. */
  hand: Hand | null;
  documents: readonly StoredDocument[];
  /** Those of them that are trained and measured on: without what is left out. */
  used: readonly StoredDocument[];
  /** Of the current hand, oldest first. */
  runs: readonly Run[];
  adapters: readonly AdapterInfo[];
  /** What is stored and cannot be read; it is passed over, so that it costs nothing but itself. Null where all is well. */
  damaged: SerializedError | null;
}

export const workspace = createStore<Workspace>({ phase: "loading", error: null, hands: [], hand: null, documents: [], used: [], runs: [], adapters: [], damaged: null });

let started = false;

/** Reads everything and starts to listen; calling it again changes nothing. */
export async function openWorkspace(): Promise<void> {
  if (started) return;
  started = true;
  subscribe((change) => void follow(change));
  await settleRuns();
  await load(new URLSearchParams(location.search).get("hand"));
}

/** Tries again after a failure. */
export async function reopenWorkspace(): Promise<void> {
  workspace.set((w) => ({ ...w, phase: "loading", error: null }));
  await load(null);
}

async function load(wanted: string | null): Promise<void> {
  try {
    const damage: DuctusError[] = [];
    const hands = await listHands((error) => damage.push(error));
    const id = wanted ?? (await getSetting("currentHandId"));
    const hand = hands.find((h) => h.id === id) ?? hands.at(-1) ?? null;
    await show(hands, hand, damage);
  } catch (error) {
    workspace.set((w) => ({ ...w, phase: "failed", error: serializeError(error) }));
  }
}

/** @param damage what could not be read of the hands; what cannot be read of this one is added */
async function show(hands: readonly Hand[], hand: Hand | null, damage: DuctusError[]): Promise<void> {
  const note = (error: DuctusError): void => void damage.push(error);
  const [documents, runs, adapters] = hand === null ? [[], [], []] : await Promise.all([listDocuments(hand.id, note), listRuns(hand.id, note), listAdapters(hand.id, note)]);
  workspace.set({ phase: "ready", error: null, hands, hand, documents, used: usedDocuments(documents), runs, adapters, damaged: damageNote(damage) });
}

function damageNote(damage: readonly DuctusError[]): SerializedError | null {
  const [first] = damage;
  if (first === undefined) return null;
  const message = damage.length === 1 ? first.message : `${first.message} The same is true of ${damage.length - 1} more.`;
  return { code: first.code, message, next: "It is passed over, and everything else works. Deleting this hand, or everything, deletes it too.", details: damage.map((error) => error.details ?? error.message).join("\n") };
}

/** Makes a hand the current one, for this visit and the next. */
export async function chooseHand(id: string): Promise<void> {
  const damage: DuctusError[] = [];
  const hands = await listHands((error) => damage.push(error));
  const hand = hands.find((h) => h.id === id) ?? null;
  // Stored before it is shown: what a person sees chosen is chosen, even if the tab closes at once.
  await setSetting("currentHandId", hand?.id ?? null);
  await show(hands, hand, damage);
  const url = new URL(location.href);
  if (url.searchParams.has("hand")) {
    url.searchParams.delete("hand");
    history.replaceState(history.state, "", url);
  }
}

/** As chooseHand; where that fails, the failure stands in for the page. */
export async function openHand(id: string): Promise<void> {
  try {
    await chooseHand(id);
  } catch (error) {
    workspace.set((w) => ({ ...w, phase: "failed", error: serializeError(error) }));
  }
}

/** Rereads all of the current hand; after a change of one's own, so that the next line sees it. */
export async function refresh(): Promise<void> {
  const damage: DuctusError[] = [];
  const hands = await listHands((error) => damage.push(error));
  const current = workspace.get().hand;
  await show(hands, hands.find((h) => h.id === current?.id) ?? hands.at(-1) ?? null, damage);
}

let holders = 0;
let missed = false;

/** While an import stores batch after batch, nothing is read again: it would be read anew for each. @returns what ends it */
export function holdChanges(): () => void {
  holders++;
  return () => {
    if (--holders > 0 || !missed) return;
    missed = false;
    refresh().catch((error: unknown) => console.warn("Could not read what changed.", error));
  };
}

async function follow(change: Change): Promise<void> {
  const id = workspace.get().hand?.id;
  if (workspace.get().phase !== "ready") return;
  if (holders > 0 && (change.kind === "hands" || change.kind === "documents")) {
    missed = true;
    return;
  }
  try {
    if (change.kind === "hands" || change.kind === "everything") return await refresh();
    if (id === undefined || (change.handId !== undefined && change.handId !== id)) return;
    if (change.kind === "documents") {
      const documents = await listDocuments(id, passOver);
      return merge(id, { documents, used: usedDocuments(documents) });
    }
    if (change.kind === "adapters") return merge(id, { adapters: await listAdapters(id, passOver), runs: await listRuns(id, passOver) });
    if (change.kind === "runs") return merge(id, { runs: await listRuns(id, passOver) });
  } catch (error) {
    // What is on the screen stays; the next change or reload reads again.
    console.warn("Could not read what changed.", error);
  }
}

/** What is damaged was told of when the hand was opened. */
const passOver = (): void => undefined;

/** Only if the hand is still the current one when the answer comes. */
function merge(handId: string, part: Partial<Workspace>): void {
  workspace.set((w) => (w.hand?.id === handId ? { ...w, ...part } : w));
}

/** Runs that nobody is running any more are interrupted: now, or once the tab that holds the lock lets go. */
export async function settleRuns(): Promise<void> {
  try {
    const free = await ifNoRun(() => markInterrupted(0));
    if (!free) {
      void untilRunLockFree().then(settleRuns).then(refresh, () => undefined);
    }
  } catch (error) {
    console.warn("Could not look for interrupted runs.", error);
  }
}
