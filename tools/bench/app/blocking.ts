/**
 * How long the page does not answer: the longest task of the main thread, as the
 * browser tells it (Long Tasks, from 50 ms), and the longest time in which a timer
 * did not come round, whatever held it. The second has the first in it, and what
 * the rest of the machine did, too. `app.longest_block_ms` is of a training run.
 */
import { loadavg } from "node:os";
import type { Page } from "@playwright/test";
import { aim, type Line } from "../measure";

export const BLOCK = "app.longest_block_ms";
export const BLOCK_TARGET_MS = 100;

export interface Block {
  ms: number;
  /** Since the watch began. */
  atMs: number;
  /** State of the run on show. */
  during: string;
}

/** A frame that came late, with the script that took most of it. */
export interface Frame extends Block {
  /** By whom it was called, its name, and how long it took, with the layout that it forced. */
  script?: string;
}

export interface Blocks {
  /** Longest first. */
  tasks: Block[];
  gaps: Block[];
  frames: Frame[];
}

/** The timer's own interval is no block. */
const TICK_MS = 5;

/** Begins to watch, or begins anew. */
const WATCH = `
  (() => {
    const from = performance.now();
    const known = globalThis.benchBlocks;
    const blocks = globalThis.benchBlocks = { from, tasks: [], gaps: [], frames: [] };
    if (known) return;
    const during = () => document.querySelector("[data-testid=run-status]")?.dataset.state ?? location.pathname;
    const note = (kind, ms, at, more = {}) => {
      const { from, [kind]: list } = globalThis.benchBlocks;
      if (at < from) return;
      list.push({ ms: Math.round(ms), atMs: Math.round(at - from), during: during(), ...more });
      list.sort((a, b) => b.ms - a.ms).splice(5);
    };
    new PerformanceObserver((entries) => { for (const { duration, startTime } of entries.getEntries()) note("tasks", duration, startTime); }).observe({ type: "longtask" });
    new PerformanceObserver((entries) => {
      for (const { duration, startTime, scripts } of entries.getEntries()) {
        const script = [...scripts].sort((a, b) => b.duration - a.duration)[0];
        note("frames", duration, startTime, script === undefined ? {} : { script: [script.invoker, script.sourceFunctionName, script.sourceURL.split("/").pop().slice(0, 40), Math.round(script.duration) + " ms, layout " + Math.round(script.forcedStyleAndLayoutDuration)].filter(Boolean).join(" ") });
      }
    }).observe({ type: "long-animation-frame" });
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      if (now - last - ${TICK_MS} > 10) note("gaps", now - last - ${TICK_MS}, last);
      last = now;
    }, ${TICK_MS});
  })()
`;

export async function watchBlocks(page: Page): Promise<void> {
  await page.evaluate(WATCH);
}

export const blocksOf = (page: Page): Promise<Blocks> => page.evaluate(() => {
  const { tasks, gaps, frames } = (globalThis as unknown as { benchBlocks: Blocks }).benchBlocks;
  return { tasks, gaps, frames };
});

const longest = (blocks: readonly Block[]): number => Math.max(0, ...blocks.map(({ ms }) => ms));

/** What the lines that tell of blocks have in common. */
export const blockFigures = ({ tasks, gaps, frames }: Blocks): { longestBlockMs: number; longestTaskMs: number; blocks: Blocks } => ({ longestBlockMs: Math.max(longest(tasks), longest(gaps)), longestTaskMs: longest(tasks), blocks: { tasks, gaps, frames } });

export function blockLine(blocks: Blocks, seconds: number, steps: number): Line {
  const { longestBlockMs: value, longestTaskMs } = blockFigures(blocks);
  return {
    name: BLOCK, value, unit: "ms", n: 1, ...aim(value, "≤", BLOCK_TARGET_MS), longestTaskMs, seconds: Math.round(seconds), steps, load: Math.round(10 * (loadavg()[0] ?? 0)) / 10, ...blocks,
    note: "value: longest time in which the main thread did not answer, from the start of a run to its result, others' use of the machine included; longestTaskMs: longest task as the browser tells it, 0 where none took 50 ms; frames: those that came late, for how long, and what took most of them",
  };
}
