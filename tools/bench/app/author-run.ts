/**
 * One author's adapter, by the site's own trainer and recipe, and what it and the
 * base are worth on the test book. Keeps checkpoint, adapter and scores in a
 * folder, under a key of model, texts and settings: what is there is not made
 * again, what was cut goes on.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256Hex } from "../../../lib/core/hash";
import { Random } from "../../../lib/core/random";
import { makeExamples } from "../../../lib/data/examples";
import { countWords } from "../../../lib/data/words";
import type { PassageScore } from "../../../lib/eval/held-out";
import { openAdapter, packAdapter } from "../../../lib/train/adapter/file";
import { flatAdapter, toLoraAdapter } from "../../../lib/train/adapter/tensors";
import { openExecution } from "../../../lib/train/execution/open";
import type { AdapterTensors } from "../../../lib/train/execution/types";
import { RunControl } from "../../../lib/train/loop";
import type { ReadyModel } from "../../../lib/train/model/embedded";
import type { Backend } from "../../../lib/train/runtime/backend";
import { decodeCheckpoint } from "../../../lib/train/sft/checkpoint";
import type { SftConfig } from "../../../lib/train/sft/config";
import { tokenizeExample } from "../../../lib/train/sft/prepare";
import { defaultConfig } from "../../../lib/train/sft/recipes";
import { runSft } from "../../../lib/train/sft/run";
import { executionSettings, scoreExamples } from "../../../lib/train/sft/trainer";
import { SPLIT_SEED, type Author } from "./authors";

/** Of the test book, drawn by a seed. */
const TEST_PASSAGES = 200;
const SCORING_BATCH = 8;
/** What is kept was made by this version of the measure. */
const VERSION = 1;

export interface Engine {
  backend: Backend;
  model: ReadyModel;
  /** Where things are kept. */
  cache: string;
  /** At most so many steps a training, for a trial; 0: as many as the recipe has. */
  maxSteps: number;
  progress: (text: string) => void;
}

export interface AuthorRun {
  key: string;
  config: SftConfig;
  adapter: AdapterTensors;
  steps: number;
  trainTokens: number;
  /** Of the training text. */
  words: number;
  /** By passage of the test book. */
  base: PassageScore[];
  tuned: PassageScore[];
}

type Kept = Omit<AuthorRun, "adapter" | "config" | "words">;

export const wordsOf = ({ documents }: Author): number => documents.reduce((sum, { text }) => sum + countWords(text), 0);

export function configOf(author: Author, { model, maxSteps }: Engine): SftConfig {
  return { ...defaultConfig(model.entry.parameters, wordsOf(author)), maxSteps };
}

/** @param onStep told after each step of training, with the number of steps that the whole recipe has */
export async function runAuthor(author: Author, engine: Engine, onStep: (done: number, whole: number) => void): Promise<AuthorRun> {
  const { model, cache } = engine;
  const config = configOf(author, engine);
  const words = wordsOf(author);
  const key = await keyOf([VERSION, model.entry.sha256, config, author.documents, author.testText, TEST_PASSAGES]);
  const folder = join(cache, author.name);
  const adapterPath = join(folder, "adapter.safetensors"), scoresPath = join(folder, "scores.json");
  const base = { id: model.entry.id, name: model.entry.name, sha256: model.entry.sha256, config: model.config };
  const kept = readKept<Kept>(scoresPath, key);
  if (kept !== null && existsSync(adapterPath)) return { ...kept, config, words, adapter: flatAdapter(openAdapter(new Uint8Array(readFileSync(adapterPath)), base).adapter) };

  const result = await train(author, engine, config, key, onStep);
  engine.progress(`${author.name}: scoring ${author.testName}`);
  const run: AuthorRun = { key, config, words, adapter: result.adapter, steps: result.steps, trainTokens: result.tokens, ...(await score(author, engine, config, result.adapter)) };
  const { id, sha256 } = base;
  writeWhole(adapterPath, packAdapter(toLoraAdapter(model.config, config.lora, new Map(result.adapter)), { name: author.name, createdAt: 0, modelId: id, modelSha256: sha256, recipe: config, steps: run.steps, trainTokens: run.trainTokens }));
  writeWhole(scoresPath, JSON.stringify({ key, steps: run.steps, trainTokens: run.trainTokens, base: run.base, tuned: run.tuned } satisfies Kept));
  return run;
}

async function train(author: Author, { backend, model, cache, progress }: Engine, config: SftConfig, key: string, onStep: (done: number, whole: number) => void) {
  const path = join(cache, author.name, `${key.slice(0, 16)}.checkpoint`);
  const resume = existsSync(path) ? await decodeCheckpoint(new Uint8Array(readFileSync(path))) : null;
  if (resume) progress(`${author.name}: goes on after ${resume.trainer.steps} steps`);
  let total = 0, whole = 0;
  const result = await runSft(backend, model, author.documents, SPLIT_SEED, config, new RunControl(), {
    prepared: ({ epochs }, steps) => {
      total = steps;
      whole = Math.max(steps, Math.ceil(epochs.flat().length / config.batchSize));
    },
    step: (done) => onStep(done, whole),
    heldOut: (done, { loss }) => progress(`${author.name}: ${done} of ${total} steps, validation loss ${loss.toFixed(3)}`),
    checkpoint: (bytes) => writeWhole(path, bytes),
  }, resume ? { resume } : {});
  rmSync(path, { force: true });
  return result;
}

async function score(author: Author, { backend, model }: Engine, config: SftConfig, adapter: AdapterTensors): Promise<Pick<AuthorRun, "base" | "tuned">> {
  const all = makeExamples([{ part: "test", documentId: author.name, text: author.testText, start: 0, end: author.testText.length }], { seed: SPLIT_SEED });
  const examples = new Random(`app.authors/${author.name}`).shuffle(all).slice(0, TEST_PASSAGES).map((example) => tokenizeExample(model.tokenizer, example, config.maxLength));
  const execution = await openExecution(backend, model, executionSettings(config));
  try {
    const scored = async (tensors: AdapterTensors | null) => (await scoreExamples(execution, examples, SCORING_BATCH, tensors)).map(({ nll, tokens }, i): PassageScore => {
      const { source, documentId, completionBytes } = examples[i]!;
      return { id: source.id, documentId, tokens, nats: nll, bytes: completionBytes };
    });
    return { base: await scored(null), tuned: await scored(adapter) };
  } finally {
    await execution.dispose();
  }
}

export const keyOf = (value: unknown): Promise<string> => sha256Hex(new TextEncoder().encode(JSON.stringify(value)));

/** What was kept under a key; null where it is not there, or is another's. */
export function readKept<T extends { key: string }>(path: string, key: string): T | null {
  if (!existsSync(path)) return null;
  const kept = JSON.parse(readFileSync(path, "utf8")) as T;
  return kept.key === key ? kept : null;
}

/** Never a part of it: a cut leaves what was there before. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
