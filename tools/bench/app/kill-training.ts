/**
 * Kills in the middle of training: at any moment of its steps, and while a
 * checkpoint is being written. Afterwards what was stored before is there, the
 * run goes on from its last checkpoint, and its curve and what it has learned are
 * to the last bit those of a run that was not killed.
 */
import type { BrowserContext, Page } from "@playwright/test";
import { renderers } from "../../../e2e/kill";
import { contentsOf, type Contents } from "./contents";
import { kill, openTab, pause } from "./kill-tools";
import type { Kills, Round } from "./kills";
import { beginWith, PAGE_TIMEOUT_MS, prepare, RUN_TIMEOUT_MS, SHORT_TEXT, startRun, untilState } from "./run-page";
import { changedFiles, curveOf, differences, halves, lastCheckpoint, losses } from "./survival";

/** Short and light, with a checkpoint after every second step: what is to be seen is the same in a long run. */
const SETTINGS = { maxSteps: 10, evaluations: 2, saveSteps: 2, batchSize: 2, maxLength: 128 };
/** Of the time that training takes without a kill: the last step is not to be missed by a machine that is quicker the next time. */
const LATEST = 0.9;
/** Of the time that the writing of a checkpoint takes: some kills come when it has just been written. */
const BEYOND_WRITING = 1.5;

/** The trainer's worker tells when it begins to write a checkpoint, and when it is written: nothing else of it is changed. */
const TELL = `
  (() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...values) {
      if (this.name === "checkpoints") {
        console.log("bench: checkpoint begun, step " + values[0].step);
        this.transaction.addEventListener("complete", () => console.log("bench: checkpoint written"));
      }
      return put.apply(this, values);
    };
  })()
`;

interface Reference {
  curve: Record<string, unknown>;
  threads: unknown;
  trainingMs: number;
  checkpoints: number;
  writingMs: number;
}

/** Hears what the trainer's worker of a page tells. */
class Checkpoints {
  begun = 0;
  /** Of the one that was begun last. */
  step = 0;
  written = 0;
  writingMs: number[] = [];
  private since = 0;
  private waiting: { count: number; call: () => void } | null = null;

  constructor(page: Page) {
    page.on("worker", (worker) => {
      // The threads of the runtime are deaf while they wait for work.
      if (worker.url().includes("/turbopack-worker")) worker.evaluate(TELL).catch(() => undefined); // it has ended again
    });
    page.on("console", (message) => {
      const step = /^bench: checkpoint begun, step (\d+)$/.exec(message.text())?.[1];
      if (step !== undefined) {
        this.since = performance.now();
        this.begun++;
        this.step = Number(step);
        if (this.waiting !== null && this.begun >= this.waiting.count) this.waiting.call();
      } else if (message.text() === "bench: checkpoint written") {
        this.written++;
        this.writingMs.push(performance.now() - this.since);
      }
    });
  }

  /** Resolves when so many have begun to be written. */
  until(count: number): Promise<void> {
    return new Promise((resolve) => (this.waiting = { count, call: resolve }));
  }
}

async function openTrain(context: BrowserContext, address: string): Promise<Page> {
  const page = await openTab(context);
  await page.goto(`${address}/train`, { timeout: PAGE_TIMEOUT_MS });
  return page;
}

const newestRun = (contents: Contents): Readonly<Record<string, unknown>> => {
  const runs = [...(contents["runs"] ?? [])].sort((a, b) => Number(a.value["createdAt"]) - Number(b.value["createdAt"]));
  const last = runs.at(-1);
  if (last === undefined) throw new Error("There is no run.");
  return last.value;
};

const threadsOf = (run: Readonly<Record<string, unknown>>): unknown => (run["device"] as { threads?: unknown } | undefined)?.threads;

/** A run that is left alone. The first of a context, so that the page has found its number of threads by the next. */
async function unbroken(context: BrowserContext, address: string): Promise<Reference> {
  const page = await openTrain(context, address);
  const checkpoints = new Checkpoints(page);
  await page.reload();
  await startRun(page);
  await untilState(page, ["training"], RUN_TIMEOUT_MS);
  const startedAt = performance.now();
  await untilState(page, ["finishing", "finished"], RUN_TIMEOUT_MS);
  const trainingMs = performance.now() - startedAt;
  await untilState(page, ["finished"], RUN_TIMEOUT_MS);
  await page.close();
  const contents = await contentsOf(context, address);
  const run = newestRun(contents);
  if (checkpoints.written === 0) throw new Error("No checkpoint was heard of.");
  return { curve: curveOf(contents, String(run["id"])), threads: threadsOf(run), trainingMs, checkpoints: checkpoints.begun, writingMs: Math.max(...checkpoints.writingMs) };
}

interface Struck {
  /** What was there a moment before; null: not looked at. */
  before: Contents | null;
  /** In words: when. @param last step of the last checkpoint that is there afterwards */
  at: (last: number | null) => string;
}

type Strike = (page: Page, checkpoints: Checkpoints, reference: Reference, moment: number) => Promise<Struck>;

async function* rounds({ browser, address, moments, progress }: Kills, strike: Strike): AsyncIterable<Round> {
  const context = await browser.newContext();
  try {
    await prepare(context, SETTINGS);
    const first = await openTab(context);
    await beginWith(first, address, "night-bread.txt", SHORT_TEXT);
    await first.close();
    const reference = await unbroken(context, address);
    progress(`without a kill ${Math.round(reference.trainingMs)} ms of training, ${reference.checkpoints} checkpoints, ${Math.round(reference.writingMs)} ms for the slowest`);
    for (const moment of moments) {
      const atStart = await contentsOf(context, address);
      const page = await openTrain(context, address);
      const checkpoints = new Checkpoints(page);
      await page.reload(); // with the listeners in place before any worker
      await startRun(page);
      await untilState(page, ["training"], RUN_TIMEOUT_MS);
      const { before, at } = await strike(page, checkpoints, reference, moment);
      yield await reopen(context, address, reference, before ?? atStart, at);
    }
  } finally {
    await context.close();
  }
}

/** As a person would: opens the page again, and lets the run go on. */
async function reopen(context: BrowserContext, address: string, reference: Reference, before: Contents, at: Struck["at"]): Promise<Round> {
  const killed = await contentsOf(context, address);
  const run = newestRun(killed);
  const id = String(run["id"]);
  const checkpoint = lastCheckpoint(killed, id);
  const wrong = [...losses(before, killed), ...halves(killed)];
  const page = await openTrain(context, address);
  const state = await untilState(page, ["interrupted", "finished"], PAGE_TIMEOUT_MS);
  const where = `${at(checkpoint)}, checkpoint of step ${checkpoint ?? "none"}`;
  if (state === "finished") return { at: `${where}, at its end`, wrong };
  if (checkpoint !== null) {
    await page.getByTestId("go-on").click({ timeout: PAGE_TIMEOUT_MS });
    await page.getByTestId("resumed").waitFor({ timeout: RUN_TIMEOUT_MS });
    const from = Number(await page.getByTestId("resumed").getAttribute("data-step"));
    if (from !== checkpoint) wrong.push(`it went on from step ${from}, not from ${checkpoint}`);
  } else await startRun(page); // it had come to no checkpoint: begun anew
  await untilState(page, ["training", "finishing", "finished"], RUN_TIMEOUT_MS);
  await untilState(page, ["finished"], RUN_TIMEOUT_MS);
  await page.close();
  const after = await contentsOf(context, address);
  const ended = newestRun(after);
  if (checkpoint !== null && ended["id"] !== id) wrong.push("another run was begun");
  if (threadsOf(ended) !== reference.threads) wrong.push(`it went on with ${String(threadsOf(ended))} threads instead of ${String(reference.threads)}`);
  wrong.push(...differences(reference.curve, curveOf(after, String(ended["id"]))), ...halves(after), ...changedFiles(withoutRun(before, id), after));
  return { at: where, wrong };
}

/** What was there without what the run itself writes and rewrites. */
function withoutRun(contents: Contents, runId: string): Contents {
  const own = new Set((contents["adapters"] ?? []).filter(({ value }) => value["runId"] === runId).map(({ value }) => value["id"]));
  return { ...contents, adapterFiles: (contents["adapterFiles"] ?? []).filter(({ value }) => !own.has(value["adapterId"])) };
}

export const duringTraining = (kills: Kills): AsyncIterable<Round> => rounds(kills, async (page, _checkpoints, { trainingMs }, moment) => {
  const ms = LATEST * moment * trainingMs;
  await pause(ms);
  const browser = kills.browser;
  const [before, pids] = [await contentsOf(page.context(), kills.address), await renderers(browser)];
  await kill(browser, page, pids);
  return { before, at: () => `${Math.round(ms)} ms into training` };
});

export const atCheckpoint = (kills: Kills): AsyncIterable<Round> => rounds(kills, async (page, checkpoints, reference, moment) => {
  // One number draws both: which of them, and how far into it.
  const place = moment * (reference.checkpoints - 1);
  const which = 1 + Math.floor(place);
  const ms = (place % 1) * BEYOND_WRITING * reference.writingMs;
  const pids = await renderers(kills.browser);
  if (checkpoints.begun < which) await checkpoints.until(which);
  await pause(ms);
  await kill(kills.browser, page, pids);
  const { step } = checkpoints;
  return { before: null, at: (last) => `${Math.round(ms)} ms into that of step ${step}, ${last !== null && last >= step ? "when it was stored" : "before it was stored"}` };
});
