/**
 * The hands and what belongs to the current one, as the screens see it. The
 * database is the truth: this reads it on loading and again whenever a worker,
 * this tab or another one says that something changed. A live run is in run.ts.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";
import { listAdapters, type AdapterInfo } from "../../lib/store/adapters";
import { subscribe, type Change } from "../../lib/store/changes";
import { listDocuments } from "../../lib/store/documents";
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
  /** Of the current hand, oldest first. */
  runs: readonly Run[];
  adapters: readonly AdapterInfo[];
}

export const workspace = createStore<Workspace>({ phase: "loading", error: null, hands: [], hand: null, documents: [], runs: [], adapters: [] });

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
    const hands = await listHands();
    const id = wanted ?? (await getSetting("currentHandId"));
    const hand = hands.find((h) => h.id === id) ?? hands.at(-1) ?? null;
    await show(hands, hand);
  } catch (error) {
    workspace.set((w) => ({ ...w, phase: "failed", error: serializeError(error) }));
  }
}

async function show(hands: readonly Hand[], hand: Hand | null): Promise<void> {
  const [documents, runs, adapters] = hand === null ? [[], [], []] : await Promise.all([listDocuments(hand.id), listRuns(hand.id), listAdapters(hand.id)]);
  workspace.set({ phase: "ready", error: null, hands, hand, documents, runs, adapters });
}

/** Makes a hand the current one, for this visit and the next. */
export async function chooseHand(id: string): Promise<void> {
  const hands = await listHands();
  const hand = hands.find((h) => h.id === id) ?? null;
  await show(hands, hand);
  await setSetting("currentHandId", hand?.id ?? null);
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
  const hands = await listHands();
  const current = workspace.get().hand;
  await show(hands, hands.find((h) => h.id === current?.id) ?? hands.at(-1) ?? null);
}

async function follow(change: Change): Promise<void> {
  const id = workspace.get().hand?.id;
  if (workspace.get().phase !== "ready") return;
  try {
    if (change.kind === "hands" || change.kind === "everything") return await refresh();
    if (id === undefined || (change.handId !== undefined && change.handId !== id)) return;
    if (change.kind === "documents") return merge(id, { documents: await listDocuments(id) });
    if (change.kind === "adapters") return merge(id, { adapters: await listAdapters(id), runs: await listRuns(id) });
    if (change.kind === "runs") return merge(id, { runs: await listRuns(id) });
  } catch (error) {
    // What is on the screen stays; the next change or reload reads again.
    console.warn("Could not read what changed.", error);
  }
}

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
