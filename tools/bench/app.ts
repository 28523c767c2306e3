/**
 * The app in a real Chromium on wasm, through the page as a person uses it:
 * `npm run bench -- app [--text FILE|DIR] [--keep DIR]`. Without --text, how soon
 * the page can be used and what a whole run on each sample writer takes and
 * brings. With it, a run on each text through the file input, and two excerpts
 * of base and tuned from the same passage of the test part (seeds 1 and 2).
 * --keep stores each run's adapter and numbers in a folder. What else the
 * machine does is in the figures; the first line says how busy it was.
 * --authors DIR measures trainings on authors in Node instead, see
 * app/recognised.ts. The lines of the whole workshop, and the options that make
 * them smaller, are in app/workshop.ts.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Browser, Page } from "@playwright/test";
import { drop, tokensPerSecond } from "./app/figures";
import { excerpts, interactiveMs, trainOn, type Finished } from "./app/journey";
import { AUTHORS, onAuthors, RECOGNISED } from "./app/recognised";
import { openSite } from "./app/site";
import { findTexts } from "./app/texts";
import { BAD_INPUTS } from "./app/bad-inputs";
import { FULL, momentsNamed, ON_SITE, onBadInputs, onWorkshop } from "./app/workshop";
import { median, type BenchArgs, type Line, type Measure } from "./measure";

const SAMPLES = ["allotment", "letters"] as const;
const ROUNDS = 5;
const QUICK = ["app.first_point_ms", "app.quick_ms", "app.train_tok_s", "app.heldout_drop"];

export async function* run({ argv, wants }: BenchArgs): AsyncIterable<Measure> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ args: argv, options: { text, keep: text, authors: text, cache: text, author: text, steps: text, runs: text, mb: text, kills: text, moments: text, inputs: text } });
  if (values.authors !== undefined) {
    yield { name: "app.machine", value: availableParallelism(), unit: "cores", note: `Node ${process.version}, load ${loadavg()[0]?.toFixed(1) ?? "?"}` };
    if (wants(AUTHORS) || wants(RECOGNISED)) yield* onAuthors({ folder: values.authors, cache: values.cache ?? join(tmpdir(), "ductus-bench", "authors"), only: values.author?.split(","), maxSteps: wholeNumber("steps", values.steps, 0) }, wants);
    return;
  }
  const texts = values.text === undefined ? [] : findTexts(values.text);
  const keep = (name: string, finished: Finished, more: object = {}): void => {
    if (values.keep === undefined) return;
    mkdirSync(values.keep, { recursive: true });
    const { file, ...numbers } = finished;
    writeFileSync(join(values.keep, `${name}.safetensors`), file);
    writeFileSync(join(values.keep, `${name}.json`), JSON.stringify({ ...numbers, ...more }, null, 1));
  };
  if (!wants("") && (wants(AUTHORS) || wants(RECOGNISED))) throw new RangeError(`${AUTHORS} and ${RECOGNISED} need --authors DIR.`);
  const workshop = {
    steps: wholeNumber("steps", values.steps, 0), runs: wholeNumber("runs", values.runs, FULL.runs), mb: wholeNumber("mb", values.mb, FULL.mb),
    kills: wholeNumber("kills", values.kills, FULL.kills), moments: momentsNamed(values.moments),
  };
  if (texts.length === 0 && wants(BAD_INPUTS)) {
    yield await onBadInputs(wholeNumber("inputs", values.inputs, FULL.inputs));
    if (!wants("") && ![...QUICK.flatMap((name) => [name, ...SAMPLES.map((id) => `${name}.${id}`)]), "app.interactive_ms", ...ON_SITE].some(wants)) return;
  }
  const site = await openSite();
  try {
    const cores = availableParallelism();
    yield { name: "app.machine", value: cores, unit: "cores", note: `Chromium ${site.browser.version()}, wasm, Node ${process.version}, load ${loadavg()[0]?.toFixed(1) ?? "?"}` };
    if (texts.length > 0) {
      for (const { name, path } of texts) {
        if (wants(`app.text.${name}`) || wants("app.excerpt")) yield* onText(site.browser, site.address, name, path, keep);
      }
      return;
    }
    if (wants("app.interactive_ms")) yield await interactive(site.browser, site.address);
    if (["", ...SAMPLES.map((id) => `.${id}`)].some((end) => QUICK.some((name) => wants(name + end)))) yield* onSamples(site.browser, site.address, keep);
    yield* onWorkshop(site, workshop, wants);
  } finally {
    await site.close();
  }
}

/** @throws RangeError where it is no whole number from 0 up */
function wholeNumber(option: string, given: string | undefined, otherwise: number): number {
  const number = Number(given ?? otherwise);
  if (!Number.isInteger(number) || number < 0) throw new RangeError(`--${option} takes a whole number.`);
  return number;
}

/** A visit of somebody who has never been here. */
async function visit<T>(browser: Browser, use: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext();
  try {
    return await use(await context.newPage());
  } finally {
    await context.close();
  }
}

async function interactive(browser: Browser, address: string): Promise<Line> {
  await visit(browser, (page) => interactiveMs(page, address)); // the server's first answer, and the browser's own start
  const rounds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await visit(browser, (page) => interactiveMs(page, address)));
  return { name: "app.interactive_ms", value: Math.round(median(rounds)), unit: "ms", low: Math.round(Math.min(...rounds)), high: Math.round(Math.max(...rounds)), n: ROUNDS };
}

type Keep = (name: string, finished: Finished, more?: object) => void;

async function* onSamples(browser: Browser, address: string, keep: Keep): AsyncIterable<Line> {
  const figures = new Map<string, { unit: string; values: number[] }>();
  const round = (unit: string, value: number): number => (unit === "ratio" ? Number(value.toFixed(4)) : Math.round(value));
  for (const id of SAMPLES) {
    const finished = await visit(browser, (page) => trainOn(page, address, { sample: id }));
    keep(id, finished);
    const found: [string, string, number][] = [
      ["app.first_point_ms", "ms", finished.firstPointMs],
      ["app.quick_ms", "ms", finished.wholeMs],
      ["app.train_tok_s", "tokens/s", tokensPerSecond(finished.run, finished.metrics)],
      ["app.heldout_drop", "ratio", drop(finished.report)],
    ];
    for (const [name, unit, value] of found) {
      const known = figures.get(name) ?? { unit, values: [] };
      known.values.push(value);
      figures.set(name, known);
      yield { name: `${name}.${id}`, value: round(unit, value), unit };
    }
  }
  for (const [name, { unit, values }] of figures) {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    yield { name, value: round(unit, mean), unit, low: round(unit, Math.min(...values)), high: round(unit, Math.max(...values)), n: values.length, note: "mean of the sample writers" };
  }
}

async function* onText(browser: Browser, address: string, name: string, path: string, keep: Keep): AsyncIterable<Line> {
  try {
    const [finished, written] = await visit(browser, async (page) => {
      const done = await trainOn(page, address, { file: path });
      return [done, await excerpts(page, [1, 2])] as const;
    });
    keep(name, finished, { excerpts: written });
    const { base, tuned } = finished.report;
    const { run } = finished;
    yield {
      name: `app.text.${name}`, value: Number(drop(finished.report).toFixed(4)), unit: "ratio",
      loss: [base.loss, tuned.loss], perplexity: [base.perplexity, tuned.perplexity], bitsPerByte: [base.bitsPerByte, tuned.bitsPerByte],
      testTokens: tuned.tokens, steps: run.totalSteps, trainTokens: run.trainTokens, wholeMs: Math.round(finished.wholeMs),
      tokensPerSecond: Math.round(tokensPerSecond(run, finished.metrics)), note: "relative fall of the test part's loss; pairs are before and after",
    };
    for (const excerpt of written) yield { name: "app.excerpt", value: excerpt.seed, unit: "seed", text: name, prompt: excerpt.prompt, base: excerpt.base, tuned: excerpt.tuned };
  } catch (error) {
    // One text that fails costs none of the others.
    yield { name: `app.text.${name}`, value: null, unit: "ratio", error: error instanceof Error ? error.message : String(error) };
  }
}
