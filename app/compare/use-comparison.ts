"use client";
/** One comparison at a time: starts it, streams both sides, stops it, and ends it when the page is left. */
import { useEffect, useState } from "react";
import { serializeError, type SerializedError } from "../../lib/core/errors";
import type { DeviceReport } from "../../lib/store/types";
import type { PromptSpec, SamplingOptions, WriteEvent } from "../../workers/protocol";
import { stopWriting, write } from "../_engine/writer";

export interface Side {
  text: string;
  tokens: number;
  /** Null while it is being written. */
  stop: "end" | "length" | "stopped" | null;
}

export interface Comparison {
  state: "idle" | "loading" | "writing" | "done" | "failed";
  /** Bytes of the model, while it is being fetched. */
  loading: { done: number; total: number } | null;
  device: DeviceReport | null;
  base: Side | null;
  tuned: Side | null;
  error: SerializedError | null;
}

/** The same prompt and seed for both. */
export interface CompareRequest {
  handId: string;
  adapterId: string;
  prompt: PromptSpec;
  seed: number;
  sampling: SamplingOptions;
}

const SIDES = ["base", "tuned"] as const;
const IDLE: Comparison = { state: "idle", loading: null, device: null, base: null, tuned: null, error: null };
let serial = 0;

export function useComparison(): { comparison: Comparison; begin: (request: CompareRequest) => void; stop: () => void } {
  const [comparison, setComparison] = useState<Comparison>(IDLE);
  const busy = comparison.state === "loading" || comparison.state === "writing";
  useEffect(() => {
    if (!busy) return;
    return () => void stopWriting().catch(() => undefined);
  }, [busy]);

  const begin = (request: CompareRequest): void => {
    const mine = ++serial;
    const change = (next: (c: Comparison) => Comparison): void => {
      if (mine === serial) setComparison(next);
    };
    setComparison({ ...IDLE, state: "loading" });
    const { handId, adapterId, prompt, seed, sampling } = request;
    write({ handId, adapterId, rows: SIDES.map((voice) => ({ voice, ask: prompt, seed })), sampling, device: "auto" }, (event) => change((c) => after(c, event))).then(
      // The last words travel apart from the answer; the next turn has them.
      () => setTimeout(() => change((c) => ({ ...c, state: "done" })), 100),
      (error: unknown) => change((c) => ({ ...c, state: "failed", error: serializeError(error) })),
    );
  };
  const stop = (): void => void stopWriting().catch(() => undefined);
  return { comparison, begin, stop };
}

function after(c: Comparison, event: WriteEvent): Comparison {
  switch (event.type) {
    case "loading":
      return { ...c, loading: { done: event.done, total: event.total } };
    case "device":
      return { ...c, device: event.device, loading: null };
    case "text":
      return { ...c, state: "writing", loading: null, [SIDES[event.row]!]: { text: event.text, tokens: event.tokens, stop: null } };
    case "done":
      return { ...c, loading: null, [SIDES[event.row]!]: { text: event.text, tokens: event.tokens, stop: event.stop } };
    default:
      return event satisfies never;
  }
}
