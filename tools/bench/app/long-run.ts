/**
 * `app.longest_block_ms` and `app.heap_growth`: what training runs on a sample
 * writer do to the page that shows them. The second is the memory of the process
 * that has the page, its workers and their wasm, after so many runs without a
 * reload over that after the first.
 */
import type { Browser, Page } from "@playwright/test";
import { renderers } from "../../../e2e/kill";
import { aim, type Line } from "../measure";
import { residentMbOf } from "./bad-inputs";
import { blockLine, watchBlocks } from "./blocking";
import { beginWithSample, prepare, RUN_TIMEOUT_MS, startRun, stepsDone, untilState } from "./run-page";

export const GROWTH = "app.heap_growth";
const TARGET_GROWTH = 1.1;
const SAMPLE = "letters";
/** For what the page puts off until nothing else is to be done. */
const SETTLE_MS = 5000;

/** @param steps at most so many a run; 0: as many as the dial at quick gives */
export async function measureBlocks(browser: Browser, address: string, steps: number): Promise<Line> {
  const context = await browser.newContext();
  try {
    await prepare(context, steps > 0 ? { maxSteps: steps } : {});
    const page = await context.newPage();
    await beginWithSample(page, address, SAMPLE);
    await page.getByTestId("teach").click();
    await page.getByTestId("start-training").waitFor();
    const watch = await watchBlocks(browser, page);
    const startedAt = performance.now();
    await startRun(page);
    await untilState(page, ["finished"], RUN_TIMEOUT_MS);
    const seconds = (performance.now() - startedAt) / 1000;
    return blockLine(await watch.end(), seconds, await stepsDone(page));
  } finally {
    await context.close();
  }
}

export function growthLine(mb: readonly number[], steps: number): Line {
  const [first] = mb, last = mb.at(-1);
  if (first === undefined || last === undefined || mb.length < 2) throw new RangeError("Growth needs two runs");
  const value = Math.round((1000 * last) / first) / 1000;
  return {
    name: GROWTH, value, unit: "ratio", n: mb.length, ...aim(value, "≤", TARGET_GROWTH), mb: mb.map(Math.round), steps,
    note: `resident memory of the renderer, workers and wasm included, after ${mb.length} runs without a reload over that after 1; mb: after each, with the page's garbage collected`,
  };
}

/** Of the renderer that has the page: an empty one beside it is far smaller. */
async function residentMb(browser: Browser, page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await page.waitForTimeout(SETTLE_MS);
  await session.send("HeapProfiler.collectGarbage");
  await session.detach();
  await page.waitForTimeout(SETTLE_MS);
  return Math.max(...(await renderers(browser)).map(residentMbOf));
}

/** @param steps as for {@link measureBlocks} */
export async function measureGrowth(browser: Browser, address: string, runs: number, steps: number): Promise<Line> {
  const context = await browser.newContext();
  try {
    await prepare(context, steps > 0 ? { maxSteps: steps } : {});
    const page = await context.newPage();
    await beginWithSample(page, address, SAMPLE);
    await page.getByTestId("teach").click();
    const mb: number[] = [];
    for (let run = 0; run < runs; run++) {
      await startRun(page);
      await untilState(page, ["training"]);
      await untilState(page, ["finished"], RUN_TIMEOUT_MS);
      mb.push(await residentMb(browser, page));
    }
    if (mb[0] === 0) throw new Error("This system does not tell how much memory a process has.");
    return growthLine(mb, await stepsDone(page));
  } finally {
    await context.close();
  }
}
