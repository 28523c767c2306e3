/**
 * How varied the model's own text is, and how much of it stands in the training
 * part. Samples go on from held-out text of every kind, as plain text; beside
 * each stands the human continuation of the same length in tokens, which both
 * measures are taken of as well.
 */
import { Random } from "../../../lib/core/random";
import { bootstrap } from "../../../lib/eval/bootstrap";
import { CopiedRuns } from "../../../lib/eval/copied";
import { distinct, equalAmounts } from "../../../lib/eval/distinct";
import { median, type Measure } from "../measure";
import { isHeldOut, readCorpus } from "./corpus";
import { rounded } from "./rounded";
import type { Subject } from "./subject";
import type { HeldDocument } from "./windows";
import { wordsOf } from "./words";

const SAMPLES = 200;
const PROMPT_TOKENS = 64;
const SAMPLE_TOKENS = 200;
const TEMPERATURE = 0.8;
const SEED = "base.distinct2";

export interface Stretch {
  promptIds: number[];
  /** What the human wrote next. */
  humanIds: number[];
}

/** Stretches of held-out documents that do not overlap, drawn from all of them: long documents give more. */
export function stretchesOf(documents: readonly Pick<HeldDocument, "ids">[], count = SAMPLES): Stretch[] {
  const size = PROMPT_TOKENS + SAMPLE_TOKENS;
  const all = documents.flatMap(({ ids }) => Array.from({ length: Math.floor(ids.length / size) }, (_, i): Stretch => {
    const stretch = ids.slice(i * size, (i + 1) * size);
    return { promptIds: stretch.slice(0, PROMPT_TOKENS), humanIds: stretch.slice(PROMPT_TOKENS) };
  }));
  return new Random(SEED).shuffle(all).slice(0, count);
}

export interface Samples {
  /** Words of each. */
  model: string[][];
  human: string[][];
}

/** Every sample is text of full length: no token that ends a text or a turn is drawn. */
export async function drawSamples(subject: Subject, documents: readonly HeldDocument[]): Promise<Samples> {
  const stretches = stretchesOf(documents);
  const { tokenizer } = subject;
  const written = await subject.write(stretches.map(({ promptIds }) => promptIds), SEED, { temperature: TEMPERATURE, maxNewTokens: SAMPLE_TOKENS, stopTokenIds: [], banned: [...tokenizer.specialIds].map((id) => [id]) });
  const words = (ids: readonly number[]) => [...wordsOf(tokenizer.decode(ids))];
  return { model: written.map(words), human: stretches.map(({ humanIds }) => words(humanIds)) };
}

const SAMPLED = `${SAMPLE_TOKENS}-token continuations of held-out text, temperature ${TEMPERATURE}, words in lower case`;

export function distinctMeasure(samples: Samples): Measure {
  const [model, human] = equalAmounts(samples.model, samples.human);
  const [value, baseline] = [distinct(model, 2), distinct(human, 2)];
  return {
    name: "base.distinct2", value: rounded(value), unit: "share", baseline: rounded(baseline), ratio: rounded(value / baseline), n: model.length,
    note: `${SAMPLED}; different pairs of words over all, of ${model.flat().length} words; baseline: the human continuations, cut to as many words`,
  };
}

export async function copiedMeasure(samples: Samples, corpus: string): Promise<Measure> {
  const runs = new CopiedRuns([...samples.model, ...samples.human]);
  for await (const document of readCorpus(corpus)) if (!isHeldOut(document)) runs.read(wordsOf(document.text));
  const count = samples.model.length;
  const [model, human] = [runs.longest.slice(0, count), runs.longest.slice(count)];
  const interval = bootstrap(model, median, SEED);
  return {
    name: "base.copied", value: median(model), unit: "words", baseline: median(human), ratio: rounded(median(model) / median(human)), low: interval.low, high: interval.high, n: count,
    note: `${SAMPLED}; the longest run of words that stands in the training part, median (largest ${Math.max(...model)}); baseline: the human continuations (largest ${Math.max(...human)})`,
  };
}
