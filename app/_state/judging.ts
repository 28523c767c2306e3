/**
 * Blind judging, as the screen sees it: the pairs are written batch by batch,
 * judged one by one, and every step is stored, so that it can be left at any
 * moment. The comparison itself is lib/eval/blind.ts; this file starts, stores
 * and resumes it.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";
import type { HeldOutPassage } from "../../lib/data/held-out-passages";
import { somePassages } from "../../lib/data/held-out-passages";
import { type BlindChoice, type BlindState, choose, endBlind, undo } from "../../lib/eval/blind";
import { type BlindDraft, isDraft, judgeDraft, openJudging, startDraft } from "../../lib/eval/blind-draft";
import { deleteJudging, listJudgings, saveJudging } from "../../lib/store/judgings";
import type { Judging } from "../../lib/store/types";
import type { SamplingOptions, WriteRow } from "../../workers/protocol";
import { stopWriting, write } from "../_engine/writer";
import { createStore } from "./store";

export interface OpenJudging {
  id: string;
  handId: string;
  adapterId: string;
  createdAt: number;
  state: BlindDraft | BlindState;
}

export interface JudgingDesk {
  /** Whose adapter's they are; null: nothing was read yet. */
  adapterId: string | null;
  /** Latest first. */
  list: readonly OpenJudging[];
  /** Of those, the one on show. */
  openId: string | null;
  /** Pairs being written. `remainingMs` is null until it can be estimated. */
  writing: { id: string; done: number; total: number; remainingMs: number | null; stopping: boolean; loading: { done: number; total: number } | null } | null;
  error: SerializedError | null;
}

const EMPTY: JudgingDesk = { adapterId: null, list: [], openId: null, writing: null, error: null };
export const judging = createStore<JudgingDesk>(EMPTY);

const SAMPLING: SamplingOptions = { temperature: 0.7, topP: 0.95, maxNewTokens: 110 };
/** Both voices write to so many prompts at once. */
const PAIRS_AT_ONCE = 4;

/** Reads what was judged of an adapter, and opens what has not been ended. What is being written goes on. */
export async function showJudgings(handId: string, adapterId: string): Promise<void> {
  try {
    const damaged: SerializedError[] = [];
    const list = (await listJudgings(handId, (error) => damaged.push(serializeError(error)))).flatMap((stored) => (stored.adapterId === adapterId ? read(stored, damaged) : []));
    judging.set((desk) => {
      const same = desk.adapterId === adapterId;
      const unended = list.find(({ state }) => isDraft(state) || !state.ended);
      return { ...desk, adapterId, list, openId: same && list.some(({ id }) => id === desk.openId) ? desk.openId : (unended?.id ?? null), error: damaged[0] ?? null };
    });
  } catch (error) {
    judging.set((desk) => ({ ...desk, adapterId, list: desk.adapterId === adapterId ? desk.list : [], error: serializeError(error) }));
  }
}

function read({ id, handId, adapterId, createdAt, state }: Judging, damaged: SerializedError[]): OpenJudging[] {
  try {
    return [{ id, handId, adapterId, createdAt, state: openJudging(state) }];
  } catch (error) {
    damaged.push(serializeError(error));
    return [];
  }
}

export const openJudgingOf = ({ list, openId }: JudgingDesk): OpenJudging | null => list.find(({ id }) => id === openId) ?? null;
export const showJudging = (id: string | null): void => judging.set((desk) => ({ ...desk, openId: id, error: null }));

/** Begins another one: stores an empty draft and lets both write. */
export async function beginJudging(handId: string, adapterId: string, passages: readonly HeldOutPassage[], wanted: number, seed: number): Promise<void> {
  try {
    const state = startDraft(wanted, seed);
    const { id, createdAt } = await saveJudging({ handId, adapterId, state });
    judging.set((desk) => (desk.adapterId === adapterId ? { ...desk, list: [{ id, handId, adapterId, createdAt, state }, ...desk.list.filter((one) => one.id !== id)], openId: id, error: null } : desk));
    await writePairs({ id, handId, adapterId, createdAt, state }, passages);
  } catch (error) {
    judging.set((desk) => ({ ...desk, writing: null, error: serializeError(error) }));
  }
}

/** Goes on writing a draft's pairs; when all are there, they can be judged. */
export async function goOnWriting(draft: OpenJudging, passages: readonly HeldOutPassage[]): Promise<void> {
  try {
    await writePairs(draft, passages);
  } catch (error) {
    judging.set((desk) => ({ ...desk, writing: null, error: serializeError(error) }));
  }
}

async function writePairs(judged: OpenJudging, passages: readonly HeldOutPassage[]): Promise<void> {
  if (judging.get().writing !== null || !isDraft(judged.state)) return;
  const { id, handId, adapterId } = judged;
  let draft = judged.state;
  const total = draft.wanted, before = draft.pairs.length, startedAt = performance.now();
  const tell = (change: Partial<NonNullable<JudgingDesk["writing"]>>): void => judging.set((desk) => (desk.writing?.id === id ? { ...desk, writing: { ...desk.writing, ...change } } : desk));
  judging.set((desk) => ({ ...desk, writing: { id, done: before, total, remainingMs: null, stopping: false, loading: null }, error: null }));
  const prompts = somePassages(passages, passages.length, draft.seed);
  while (draft.pairs.length < total && prompts.length > 0) {
    const from = draft.pairs.length;
    // Where there are fewer passages than pairs, they come again with another seed.
    const asked = Array.from({ length: Math.min(PAIRS_AT_ONCE, total - from) }, (_, i) => ({ passage: prompts[(from + i) % prompts.length] as HeldOutPassage, seed: 1 + Math.floor((from + i) / prompts.length) }));
    const rows = asked.flatMap(({ passage, seed }): WriteRow[] => (["base", "tuned"] as const).map((voice) => ({ voice, ask: { form: "continue", passage: passage.text }, seed: seed * 1000 + Number(draft.seed) })));
    const texts: (string | null)[] = rows.map(() => null);
    await write({ handId, adapterId, rows, sampling: SAMPLING, device: "auto" }, (event) => {
      if (event.type === "loading") tell({ loading: { done: event.done, total: event.total } });
      if (event.type === "done" && event.stop !== "stopped") texts[event.row] = event.text;
    });
    await new Promise((resolve) => setTimeout(resolve, 100)); // the last words travel apart from the answer
    const written = asked.flatMap(({ passage }, i) => {
      const base = texts[2 * i], tuned = texts[2 * i + 1];
      return typeof base === "string" && typeof tuned === "string" ? [{ id: String(from + i + 1), prompt: passage.text, base, tuned }] : [];
    });
    if (written.length < asked.length) break; // stopped: by the person, or by other writing
    draft = { ...draft, pairs: [...draft.pairs, ...written] };
    await keep({ ...judged, state: draft });
    tell({ done: draft.pairs.length, remainingMs: ((performance.now() - startedAt) / (draft.pairs.length - before)) * (total - draft.pairs.length), loading: null });
    if (judging.get().writing?.stopping === true) break;
  }
  judging.set((desk) => ({ ...desk, writing: null }));
  if (draft.pairs.length >= total) await judgeNow({ ...judged, state: draft });
}

/** What is written by then can be judged, or written to its end later. */
export function stopPairs(): void {
  judging.set((desk) => (desk.writing === null ? desk : { ...desk, writing: { ...desk.writing, stopping: true } }));
  void stopWriting().catch(() => undefined);
}

/** The pairs that are there are enough. */
export async function judgeNow(draft: OpenJudging): Promise<void> {
  if (!isDraft(draft.state)) return;
  try {
    await keep({ ...draft, state: judgeDraft(draft.state) });
  } catch (error) {
    judging.set((desk) => ({ ...desk, error: serializeError(error) }));
  }
}

/** Shows and stores a later state. */
async function keep(changed: OpenJudging): Promise<void> {
  judging.set((desk) => ({ ...desk, list: desk.list.map((one) => (one.id === changed.id ? changed : one)) }));
  await saveJudging(changed);
}

/** Stored in the order of the steps. */
let saving: Promise<void> = Promise.resolve();

function step(change: (state: BlindState) => BlindState): void {
  const open = openJudgingOf(judging.get());
  if (open === null || isDraft(open.state) || open.state.ended) return;
  const changed = { ...open, state: change(open.state) };
  judging.set((desk) => ({ ...desk, list: desk.list.map((one) => (one.id === open.id ? changed : one)), error: null }));
  saving = saving.then(() => saveJudging(changed)).then(() => undefined, (error: unknown) => judging.set((desk) => ({ ...desk, error: serializeError(error) })));
}

/** Judges the card on show. */
export const judge = (choice: BlindChoice): void => step((state) => (state.choices.length < state.cards.length ? choose(state, choice) : state));
export const takeBack = (): void => step(undo);
/** From now on the result is shown. */
export const endJudging = (): void => step(endBlind);
/** Stores the state on show once more, after it could not be stored. */
export const keepAgain = (): void => step((state) => state);

export async function removeJudging({ handId, id }: OpenJudging): Promise<void> {
  await deleteJudging(handId, id);
  judging.set((desk) => ({ ...desk, list: desk.list.filter((one) => one.id !== id), openId: desk.openId === id ? null : desk.openId }));
}
