/**
 * Eight authors, each with an adapter of its own: `npm run bench -- app --only
 * app.authors,app.recognised --authors DIR [--cache DIR] [--author NAME,…]
 * [--steps N]`. `app.authors`: a line an author, held-out loss, perplexity and
 * bits per byte of the last book, before and after. `app.recognised`: the share
 * of 40 samples an author that a character n-gram classifier, fitted on the last
 * books, gives to the right author, beside the base's share from the same
 * prompts; the classifier's own share of human passages of these places is what
 * can be reached. --author trains only some of them (the classifier knows all);
 * --steps cuts every training short, for a trial.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cutPassages } from "../../../lib/data/passages";
import { bootstrap, mean } from "../../../lib/eval/bootstrap";
import { equalAmounts } from "../../../lib/eval/distinct";
import { heldOutReport } from "../../../lib/eval/held-out";
import { NgramClassifier } from "../../../lib/eval/ngram-classifier";
import { wilsonInterval } from "../../../lib/eval/proportions";
import { spacedWordSpans } from "../../../lib/data/words";
import { EMBEDDED_MODEL_ID, openModel } from "../../../lib/train/model/embedded";
import { openNode } from "../../../lib/train/runtime/node";
import { root } from "../../run/deps.mjs";
import type { BenchArgs, Line } from "../measure";
import { rounded } from "../base-model/rounded";
import { runAuthor, wordsOf, type AuthorRun, type Engine } from "./author-run";
import { SAMPLES, writeSamples, type Sample } from "./author-samples";
import { readAuthors, type Author } from "./authors";
import { Outlook } from "./outlook";

export const AUTHORS = "app.authors", RECOGNISED = "app.recognised";
/** About as long as the samples are: the classifier is surest with what is like what it learned. */
const CLASSIFIER_WORDS = { low: 40, high: 70, max: 100 } as const;

export interface AuthorOptions {
  folder: string;
  cache: string;
  /** Names; absent: all. */
  only?: readonly string[] | undefined;
  /** 0: as many as the recipe has. */
  maxSteps: number;
}

export async function* onAuthors({ folder, cache, only, maxSteps }: AuthorOptions, wants: BenchArgs["wants"]): AsyncIterable<Line> {
  const progress = (text: string): void => console.error(text);
  const authors = readAuthors(folder, only);
  const chosen = authors.filter(({ name }) => only === undefined || only.includes(name));
  const fromDisk = (url: string) => Promise.resolve(new Response(new Uint8Array(readFileSync(url))));
  const model = await openModel(join(root, "public/models"), EMBEDDED_MODEL_ID, fromDisk);
  const engine: Engine = { backend: openNode(availableParallelism()), model, cache, maxSteps, progress };
  // Of a trial, what the whole would take.
  const timed = maxSteps > 0 ? authors : chosen;
  const outlook = new Outlook(timed.map(wordsOf), progress);

  const written: { name: string; samples: Sample[] }[] = [];
  for (const author of chosen) {
    const place = timed.indexOf(author);
    try {
      const run = await runAuthor(author, engine, (done, whole) => outlook.step(place, done, whole));
      outlook.done(place);
      if (wants(AUTHORS)) yield authorLine(author, run);
      if (wants(RECOGNISED)) written.push({ name: author.name, samples: await writeSamples(author, run, engine) });
    } catch (error) {
      // One author that fails costs none of the others.
      console.error(error);
      yield { name: AUTHORS, value: null, unit: "ratio", author: author.name, error: error instanceof Error ? error.message : String(error) };
    }
  }
  if (written.length > 0) {
    progress("fitting the classifier");
    yield recognisedLine(fitOn(authors), written, maxSteps);
  }
}

export function authorLine({ name, testName, testText }: Author, run: AuthorRun): Line {
  const tokenizer = run.key; // the same of both
  const { systems, comparisons } = heldOutReport([{ id: "base", name: "base", tokenizer, passages: run.base }, { id: "tuned", name: "tuned", tokenizer, passages: run.tuned }], `${AUTHORS}/${name}`);
  const [base, tuned] = [systems[0]!, systems[1]!];
  const pair = (of: "loss" | "perplexity" | "bitsPerByte") => [rounded(base[of].value!), rounded(tuned[of].value!)];
  const { loss, verdict, units } = comparisons[0]!;
  // The interval is that of the difference, over the base's loss as it stands.
  const fall = (nats: number | null | undefined) => rounded(-(nats ?? NaN) / base.loss.value!);
  return {
    name: AUTHORS, value: fall(loss?.value), unit: "ratio", low: fall(loss?.high), high: fall(loss?.low), n: units.passages, author: name,
    loss: pair("loss"), perplexity: pair("perplexity"), bitsPerByte: pair("bitsPerByte"), verdict: verdict.words,
    testTokens: base.tokens, steps: run.steps, trainTokens: run.trainTokens, words: run.words,
    note: `relative fall of the loss on passages of ${testName} (${Math.round(testText.length / 1000)} thousand characters); pairs are before and after; bootstrap over passages, paired`,
  };
}

/** On what is kept of every author, each counting as much as any other. */
export function fitOn(authors: readonly Pick<Author, "name" | "classifierText">[]): NgramClassifier {
  const passages = authors.flatMap(({ name, classifierText }) => cutPassages(classifierText, () => CLASSIFIER_WORDS).map(({ text }) => ({ name, text })));
  return NgramClassifier.fit(passages.map(({ text }) => text), passages.map(({ name }) => name), { balanced: true });
}

const SIDES = ["tuned", "base", "human"] as const;
type Side = (typeof SIDES)[number];

/** Whether each text was given to the author it belongs to; texts without a word to none. */
function hits(classifier: NgramClassifier, name: string, texts: readonly string[]): number[] {
  return texts.map((text) => (text.trim() !== "" && classifier.classify(text) === name ? 1 : 0));
}

export function recognisedLine(classifier: NgramClassifier, written: readonly { name: string; samples: readonly Sample[] }[], maxSteps: number): Line {
  const byAuthor = written.map(({ name, samples }) => {
    const texts = (side: Side) => samples.map((sample) => sample[side]);
    const cut = cutAlike(SIDES.map(texts));
    return {
      name,
      hits: Object.fromEntries(SIDES.map((side) => [side, hits(classifier, name, texts(side))])) as Record<Side, number[]>,
      cutHits: Object.fromEntries(SIDES.map((side, s) => [side, hits(classifier, name, cut[s]!)])) as Record<Side, number[]>,
      words: Object.fromEntries(SIDES.map((side) => [side, mean(texts(side).map((text) => spacedWordSpans(text).length))])) as Record<Side, number>,
    };
  });
  const pooled = (side: Side, of: "hits" | "cutHits" = "hits") => byAuthor.flatMap((author) => author[of][side]);
  const share = (found: readonly number[]) => {
    const { low, high } = wilsonInterval(found.reduce((a, b) => a + b, 0), found.length);
    return { share: rounded(mean(found)), low: rounded(low), high: rounded(high), n: found.length };
  };
  const shares = (of: Record<Side, number[]>) => Object.fromEntries(SIDES.map((side) => [side, share(of[side])]));
  const [tuned, base] = [pooled("tuned"), pooled("base")];
  const gains = tuned.map((hit, i) => hit - base[i]!);
  const gain = bootstrap(gains, mean, RECOGNISED);
  const all = share(tuned);
  return {
    name: RECOGNISED, value: all.share, unit: "share", baseline: share(base).share, ratio: mean(base) === 0 ? null : rounded(mean(tuned) / mean(base)), low: all.low, high: all.high, n: all.n,
    base: share(base), ceiling: share(pooled("human")),
    gain: { value: rounded(mean(gains)), low: rounded(gain.low), high: rounded(gain.high) },
    atEqualLength: shares({ tuned: pooled("tuned", "cutHits"), base: pooled("base", "cutHits"), human: pooled("human", "cutHits") }),
    meanWords: Object.fromEntries(SIDES.map((side) => [side, Math.round(mean(byAuthor.map(({ words }) => words[side])))])),
    authors: byAuthor.map((author) => ({ author: author.name, ...shares(author.hits) })),
    note: `of ${SAMPLES} samples an author, given to the right one of ${classifier.model.classes.length}; baseline: the base model, same prompts and seeds; ceiling: what the author wrote there; Wilson intervals, the gain's a bootstrap over prompts${maxSteps > 0 ? `; every training cut after ${maxSteps} steps` : ""}`,
  };
}

/** The texts to each prompt, on each side, to the words of the shortest. */
function cutAlike(sides: readonly (readonly string[])[]): string[][] {
  const words = sides.map((texts) => texts.map((text) => spacedWordSpans(text).map(({ start, end }) => text.slice(start, end))));
  const shortest = words.reduce((one, other) => equalAmounts(one, other)[0]);
  return words.map((texts) => equalAmounts(texts, shortest)[0].map((text) => text.join("")));
}
