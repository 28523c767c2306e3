/**
 * How long the page does not answer: every stretch in which a timer did not come
 * round, and what the main thread computed in it, as Linux counts that. On a
 * machine that does nothing else the two are the same; on a busy one, what others
 * took from the page is no block of its own. Beside it what the browser tells:
 * long tasks and late frames, by the clock. `app.longest_block_ms` is of a
 * training run.
 */
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import type { Browser, Page } from "@playwright/test";
import { renderers } from "../../../e2e/kill";
import { aim, type Line } from "../measure";
import { residentMbOf } from "./bad-inputs";

export const BLOCK = "app.longest_block_ms";
export const BLOCK_TARGET_MS = 100;

export interface Block {
  ms: number;
  /** Since the watch began. */
  atMs: number;
  /** State of the run on show, or the screen. */
  during: string;
  /** Of a late frame: what took most of it, by whom it was called, its name, and how long it took, with the layout that it forced. */
  script?: string;
}

/** What the main thread of a process has computed by a moment, both in ms; the moment by the clock of the day. */
export interface Reading {
  at: number;
  computed: number;
}

export interface Blocks {
  /** Those that the page itself computed longest in, first; `busyMs`: for how long, null where the system does not tell. */
  gaps: (Block & { busyMs: number | null })[];
  /** By the clock. */
  longestGapMs: number;
  tasks: Block[];
  frames: Block[];
}

/** The timer's own interval is no block; shorter gaps than these are no matter. */
const TICK_MS = 5, LEAST_GAP_MS = 20, MOST_GAPS = 20_000;
const SHOWN = 5;
const READ_EVERY_MS = 10;

/** Begins to watch, or begins anew. */
const WATCH = `
  (() => {
    const from = performance.now();
    const known = globalThis.benchBlocks;
    globalThis.benchBlocks = { from, since: performance.timeOrigin + from, tasks: [], gaps: [], frames: [] };
    if (known) return;
    const during = () => document.querySelector("[data-testid=run-status]")?.dataset.state ?? location.pathname;
    const note = (kind, most, ms, at, more = {}) => {
      const { from, [kind]: list } = globalThis.benchBlocks;
      if (at < from || list.length >= 2 * most) return;
      list.push({ ms: Math.round(ms), atMs: Math.round(at - from), during: during(), ...more });
      if (list.length >= 2 * most) list.sort((a, b) => b.ms - a.ms).splice(most);
    };
    new PerformanceObserver((entries) => { for (const { duration, startTime } of entries.getEntries()) note("tasks", ${SHOWN}, duration, startTime); }).observe({ type: "longtask" });
    new PerformanceObserver((entries) => {
      for (const { duration, startTime, scripts } of entries.getEntries()) {
        const script = [...scripts].sort((a, b) => b.duration - a.duration)[0];
        note("frames", ${SHOWN}, duration, startTime, script === undefined ? {} : { script: [script.invoker, script.sourceFunctionName, script.sourceURL.split("/").pop().slice(0, 40), Math.round(script.duration) + " ms, layout " + Math.round(script.forcedStyleAndLayoutDuration)].filter(Boolean).join(" ") });
      }
    }).observe({ type: "long-animation-frame" });
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      if (now - last - ${TICK_MS} > ${LEAST_GAP_MS}) note("gaps", ${MOST_GAPS}, now - last - ${TICK_MS}, last);
      last = now;
    }, ${TICK_MS});
  })()
`;

/** What a process's main thread has computed so far, in ms; null where the system does not tell (proc(5), schedstat). */
export function mainThreadMs(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return null;
  }
}

/** What was computed between two moments, at the most: from the last reading before to the first one after. @returns null where readings do not reach so far */
export function computedBetween(readings: readonly Reading[], from: number, to: number): number | null {
  const before = readings.findLast(({ at }) => at <= from), after = readings.find(({ at }) => at >= to);
  return before === undefined || after === undefined ? null : after.computed - before.computed;
}

export interface BlockWatch {
  end(): Promise<Blocks>;
}

export async function watchBlocks(browser: Browser, page: Page): Promise<BlockWatch> {
  // The page's own: an empty one beside it is far smaller.
  const pid = (await renderers(browser)).sort((a, b) => residentMbOf(b) - residentMbOf(a))[0] ?? 0;
  const readings: Reading[] = [];
  const read = (): void => {
    const computed = mainThreadMs(pid);
    if (computed !== null) readings.push({ at: Date.now(), computed });
  };
  read();
  const reader = setInterval(read, READ_EVERY_MS);
  await page.evaluate(WATCH);
  return {
    async end() {
      clearInterval(reader);
      read();
      const { since, gaps, tasks, frames } = await page.evaluate(() => (globalThis as unknown as { benchBlocks: { since: number; gaps: Block[]; tasks: Block[]; frames: Block[] } }).benchBlocks);
      const longest = (blocks: readonly Block[]): Block[] => [...blocks].sort((a, b) => b.ms - a.ms).slice(0, SHOWN);
      const busy = gaps.map((gap) => {
        const computed = computedBetween(readings, since + gap.atMs, since + gap.atMs + gap.ms);
        return { ...gap, busyMs: computed === null ? null : Math.round(Math.min(gap.ms, computed)) };
      });
      return { longestGapMs: longest(gaps)[0]?.ms ?? 0, gaps: busy.sort((a, b) => (b.busyMs ?? b.ms) - (a.busyMs ?? a.ms)).slice(0, SHOWN), tasks: longest(tasks), frames: longest(frames) };
    },
  };
}

/** What the lines that tell of blocks have in common. `byClockMs`: what others use of the machine included. */
export function blockFigures({ gaps, longestGapMs, tasks, frames }: Blocks): { longestBlockMs: number; byClockMs: number; load: number; gaps: Blocks["gaps"]; tasks: Block[]; frames: Block[] } {
  const most = (values: readonly number[]): number => Math.max(0, ...values);
  return {
    longestBlockMs: most(gaps.map(({ ms, busyMs }) => busyMs ?? ms)), byClockMs: most([longestGapMs, ...tasks.map(({ ms }) => ms)]),
    load: Math.round(10 * (loadavg()[0] ?? 0)) / 10, gaps, tasks, frames,
  };
}

export function blockLine(blocks: Blocks, seconds: number, steps: number): Line {
  const { longestBlockMs: value, ...figures } = blockFigures(blocks);
  return {
    name: BLOCK, value, unit: "ms", n: 1, ...aim(value, "≤", BLOCK_TARGET_MS), seconds: Math.round(seconds), steps, ...figures,
    note: "value: longest time for which the main thread did not answer, in which what it computed itself counts (where the system tells, else all), from the start of a run to its result; byClockMs: longest by the clock, others' use of the machine included; tasks and frames: as the browser tells them, by the clock",
  };
}
