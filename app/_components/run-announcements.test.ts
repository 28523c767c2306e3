import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LiveRun } from "../_state/run";

vi.mock("../_state/run", async () => {
  const { createStore } = await import("../_state/store");
  return { run: createStore<{ live: LiveRun | null }>({ live: null }), isActive: (live: LiveRun | null) => live?.outcome === null };
});
const { run } = await import("../_state/run");
const { announceRun } = await import("./run-announcements");

const said: string[] = [];
let end: () => void;
const set = (part: Partial<LiveRun>): void => run.set(({ live }) => ({ live: { ...(live ?? ({ phase: "loading", paused: false, progress: null, outcome: null } as LiveRun)), ...part } }));
const at = (step: number): Partial<LiveRun> => ({ phase: "training", progress: { step, totalSteps: 9, tokens: 1, elapsedMs: 1, remainingMs: null, tokensPerSecond: null } });

beforeEach(() => {
  vi.useFakeTimers();
  run.set({ live: null });
  said.length = 0;
  end = announceRun((sentence) => said.push(sentence));
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

describe("announceRun", () => {
  it("says the beginning, then what stands at every ten seconds, though nothing follows", () => {
    set({});
    set({ phase: "checking" });
    set(at(1));
    expect(said).toEqual(["Opening the model"]);
    set(at(2));
    vi.advanceTimersByTime(10_000);
    expect(said).toEqual(["Opening the model", "Step 2 of 9."]);
  });

  it("says a pause and its end at once, and how the run ended", () => {
    set(at(1));
    set({ paused: true });
    set({ paused: false });
    set({ outcome: { status: "stopped", adapterId: null, report: null } });
    expect(said).toEqual(["Step 1 of 9.", "Training is paused.", "Step 1 of 9.", "Training was stopped before its first step; there is nothing to keep."]);
    vi.advanceTimersByTime(60_000);
    expect(said).toHaveLength(4);
  });
});
