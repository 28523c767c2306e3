/**
 * Texts side by side: what was asked and what both voices wrote to it, one after
 * another, kept while the tab is open. One is written at a time, and ends when
 * the page is left.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";
import type { DeviceReport } from "../../lib/store/types";
import type { PromptSpec, SamplingOptions, Voice, WriteEvent } from "../../workers/protocol";
import { stopWriting, write } from "../_engine/writer";
import { createStore } from "./store";

export interface Draft {
  form: "passage" | "own" | "words";
  /** Which passage. */
  at: number;
  own: string;
  /** Separated by commas. */
  words: string;
}

export interface Sampling {
  temperature: number;
  maxNewTokens: number;
  seed: number;
}

export interface Side {
  text: string;
  tokens: number;
  /** Null while it is being written. */
  stop: "end" | "length" | "stopped" | null;
}

export interface Entry {
  /** Counts up. */
  id: number;
  handId: string;
  adapterId: string;
  /** By the name that it had. */
  adapterName: string;
  prompt: PromptSpec;
  /** What the writer wrote after the prompt; null for a prompt of one's own. */
  next: string | null;
  sampling: Sampling;
  state: "loading" | "writing" | "done" | "failed";
  /** Bytes of the model, while it is being fetched. */
  loading: { done: number; total: number } | null;
  base: Side | null;
  tuned: Side | null;
  error: SerializedError | null;
}

export interface Reading {
  draft: { handId: string; draft: Draft } | null;
  sampling: Sampling;
  /** Newest first, of all hands. */
  entries: readonly Entry[];
  device: DeviceReport | null;
}

const VOICES = ["base", "tuned"] as const satisfies readonly Voice[];
/** More than anybody reads again. */
const MAX_ENTRIES = 60;

export const reading = createStore<Reading>({ draft: null, sampling: { temperature: 0.7, maxNewTokens: 120, seed: 1 }, entries: [], device: null });

export const setDraft = (handId: string, draft: Draft): void => reading.set((r) => ({ ...r, draft: { handId, draft } }));
export const setSampling = (sampling: Sampling): void => reading.set((r) => ({ ...r, sampling }));
export const isBusy = ({ state }: Entry): boolean => state === "loading" || state === "writing";

type Asked = Pick<Entry, "handId" | "adapterId" | "adapterName" | "prompt" | "next" | "sampling">;
let serial = 0;

/** Lets both write to the same prompt with the same seed; what was being written before ends. */
export async function readOn(asked: Asked): Promise<void> {
  const id = ++serial;
  const change = (next: (entry: Entry) => Entry): void => reading.set((r) => ({ ...r, entries: r.entries.map((entry) => (entry.id === id ? next(entry) : entry)) }));
  const entry: Entry = { ...asked, id, state: "loading", loading: null, base: null, tuned: null, error: null };
  // One that failed says nothing any more once another is asked for.
  reading.set((r) => ({ ...r, entries: [entry, ...r.entries.filter(({ state }) => state !== "failed")].slice(0, MAX_ENTRIES) }));
  const { handId, adapterId, prompt, sampling: { seed, ...rest } } = asked;
  const sampling: SamplingOptions = { ...rest, topP: 0.95 };
  try {
    await write({ handId, adapterId, rows: VOICES.map((voice) => ({ voice, ask: prompt, seed })), sampling, device: "auto" }, (event) => {
      if (event.type === "device") reading.set((r) => ({ ...r, device: event.device }));
      change((before) => after(before, event));
    });
    await new Promise((resolve) => setTimeout(resolve, 100)); // the last words travel apart from the answer
    change((before) => ({ ...before, state: "done", loading: null }));
  } catch (error) {
    change((before) => ({ ...before, state: "failed", loading: null, error: serializeError(error) }));
  }
}

export const stopReading = (): void => void stopWriting().catch(() => undefined);

/** Ends what is being written, if anything is. */
export function leaveReading(): void {
  if (reading.get().entries.some(isBusy)) stopReading();
}

/** Takes what was written before the newest off the page. */
export const clearEarlier = (handId: string): void => reading.set((r) => ({ ...r, entries: r.entries.filter((entry) => entry.handId !== handId || entry === r.entries.find((one) => one.handId === handId)) }));

function after(entry: Entry, event: WriteEvent): Entry {
  switch (event.type) {
    case "loading":
      return { ...entry, loading: { done: event.done, total: event.total } };
    case "device":
      return { ...entry, loading: null };
    case "text":
      return { ...entry, state: "writing", loading: null, [VOICES[event.row]!]: { text: event.text, tokens: event.tokens, stop: null } };
    case "done":
      return { ...entry, loading: null, [VOICES[event.row]!]: { text: event.text, tokens: event.tokens, stop: event.stop } };
    default:
      return event satisfies never;
  }
}
