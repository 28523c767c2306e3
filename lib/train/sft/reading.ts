/**
 * What a run's curve says, in plain words: from the losses of training and of
 * the text kept aside to one of a few states and what to do about it. It goes
 * through the points in order and changes its mind only when a change stands
 * out from the noise, so that it does not flicker. It computes no loss itself.
 */

export const READING_STATES = ["starting", "learning", "slowing", "settled", "memorising", "diverged", "too-little"] as const;
export type ReadingState = (typeof READING_STATES)[number];

export interface TrainPoint {
  step: number;
  /** Nats a token. */
  loss: number;
}

export interface HeldOutPoint {
  step: number;
  loss: number;
  /** Scored tokens, and examples that they come from where it is known. */
  tokens: number;
  examples?: number;
  /** Standard error over examples of the change of this loss since the lowest before it; see pairedError. */
  changeError?: number;
}

export interface CurveReading {
  state: ReadingState;
  /** For a heading: “Still learning”. */
  label: string;
  /** One or two sentences. */
  words: string;
  /** Go on, stop with what is there, or stop and go back to the recommended step. */
  advice: "go on" | "may stop" | "stop";
  /** The step whose state is best to keep: the one with the lowest loss, or an earlier one as good to a reader. Null where nothing was measured. */
  recommendedStep: number | null;
  /** Fall of the held-out loss at the recommended step, as a share of the first; null where nothing was measured. */
  gain: number | null;
}

/** Fewer scored tokens, or examples, say nothing of a hand. */
const LEAST_TOKENS = 200, LEAST_EXAMPLES = 4;
/** Measurements, the first included, before anything is said. */
const LEAST_POINTS = 3;
/**
 * Where no standard error is known: that of a change, a token. Held-out losses of two states of a model differ by about
 * half a nat a token (standard deviation), most of it in common within an example.
 */
const CHANGE_DEVIATION = 0.5, TOKENS_IN_COMMON = 4;
/** Changes below this share of the loss make no difference to a reader, however surely they are measured. */
const LEAST_SHARE = 0.001;
/** A change beyond so many standard errors is believed. */
const BELIEVED = 2;
/** A fall that goes on at less than this share of the fastest is slowing; at less than this one it has settled. */
const SLOWING = 0.35, SETTLED = 0.08;
/** A loss so far above where it began, beyond the noise, is no learning at all. */
const DIVERGED_SHARE = 0.15;
/** Points in a row that must say so before another state is believed; one where it stands far out, or where nothing was said yet. */
const HOLDS = 2;
/** Far out: so many times what would be believed. */
const FAR = 2;

/** Words of each state. */
const WORDS: Record<ReadingState, readonly [label: string, words: string, advice: CurveReading["advice"]]> = {
  starting: ["Starting", "Too early to say: the first checks show where it goes.", "go on"],
  learning: ["Still learning", "It is less and less surprised by the writing kept aside. Let it go on.", "go on"],
  slowing: ["Learning more slowly", "It still gains on the writing kept aside, less with each check.", "go on"],
  settled: ["Settled", "It gains nothing more that stands out on the writing kept aside. You may stop here, or let it end.", "may stop"],
  memorising: ["Starting to memorise", "It gets better on what it reads and worse on what it has not seen: it has begun to learn sentences by heart. It would be wise to stop.", "stop"],
  diverged: ["Out of bounds", "The numbers have run away: it unlearns more than it learns. Stop, lower the learning rate, and start again.", "stop"],
  "too-little": ["Too little to check", "There is too little writing kept aside to say how well it does. Read the samples, and judge by them.", "go on"],
};

/** @param train and heldOut in any order; points that are repeated for a step count once, the last */
export function readCurve(train: readonly TrainPoint[], heldOut: readonly HeldOutPoint[]): CurveReading {
  const trained = inOrder(train), measured = inOrder(heldOut);
  let state: ReadingState = "starting";
  let candidate: ReadingState = state, seen = 0;
  for (let n = 1; n <= measured.length; n++) {
    const now = judge(trained.filter(({ step }) => step <= measured[n - 1]!.step), measured.slice(0, n));
    seen = now.state === candidate ? seen + 1 : 1;
    candidate = now.state;
    const unsaid = (state === "starting" || state === "too-little") && candidate !== "memorising";
    if (unsaid || now.sure || seen >= HOLDS) state = candidate;
  }
  if (runAway(trained)) state = "diverged";
  else if (measured.length === 0 && trained.length > 0) state = "too-little";
  const best = recommended(measured);
  const [label, words, advice] = WORDS[state];
  return { state, label, words, advice, recommendedStep: best?.step ?? null, gain: best === null ? null : 1 - best.loss / measured[0]!.loss };
}

function inOrder<P extends { step: number }>(points: readonly P[]): P[] {
  return [...new Map(points.map((point) => [point.step, point])).values()].sort((a, b) => a.step - b.step);
}

/** As it looks at the last of these points, whatever was said before; `sure` where it stands far out. */
function judge(train: readonly TrainPoint[], heldOut: readonly HeldOutPoint[]): { state: ReadingState; sure: boolean } {
  const first = heldOut[0]!, last = heldOut.at(-1)!, n = heldOut.length;
  const said = (state: ReadingState, sure = false) => ({ state, sure });
  if (!Number.isFinite(last.loss)) return said("diverged", true);
  if (last.tokens < LEAST_TOKENS || (last.examples ?? Infinity) < LEAST_EXAMPLES) return said("too-little", true);
  const believed = Math.max(BELIEVED * noiseOf(last), LEAST_SHARE * first.loss);
  const lost = last.loss - first.loss > Math.max(believed, DIVERGED_SHARE * first.loss);
  if (lost && !fell(train)) return said("diverged", true);
  if (n < LEAST_POINTS) return said("starting");
  // Of neighbours together: the lowest of many single points is low by luck.
  const levels = heldOut.map((_, i) => (i === 0 ? first.loss : mean(heldOut.slice(Math.max(1, i - 1), i + 2).map(({ loss }) => loss))));
  const lowest = levels.indexOf(Math.min(...levels));
  const risen = levels[n - 1]! - levels[lowest]!;
  if (risen > believed && (lost || fell(train, heldOut[lowest]!.step))) return said("memorising", risen > FAR * believed);
  if (first.loss - levels[lowest]! <= believed) return said(n <= LEAST_POINTS ? "starting" : "settled"); // nothing was gained that stands out
  // Over two intervals, as one alone is noise.
  const rates = heldOut.slice(2).map(({ loss, step }, i) => (heldOut[i]!.loss - loss) / (step - heldOut[i]!.step));
  const fastest = Math.max(...rates), rate = rates.at(-1)!;
  if (rate <= SETTLED * fastest || rate * (last.step - heldOut[n - 3]!.step) <= LEAST_SHARE * first.loss) return said("settled");
  return said(rate <= SLOWING * fastest ? "slowing" : "learning");
}

const noiseOf = ({ changeError, tokens }: HeldOutPoint): number => changeError ?? CHANGE_DEVIATION * Math.sqrt(TOKENS_IN_COMMON / tokens);

/** Whether the training loss is lower after a step than in as many steps before it; without a step, at the end than at the beginning. */
function fell(train: readonly TrainPoint[], since?: number): boolean {
  const losses = train.map(({ loss }) => loss);
  const at = since === undefined ? Math.floor(losses.length / 2) : train.filter(({ step }) => step <= since).length;
  const after = losses.slice(at), before = since === undefined ? losses.slice(0, at) : losses.slice(Math.max(0, at - Math.max(4, after.length)), at);
  return after.length > 0 && before.length > 0 && mean(after) < mean(before);
}

/** Among the last steps losses that are no numbers, or far above the first ones. */
function runAway(train: readonly TrainPoint[]): boolean {
  const last = train.slice(-3);
  if (last.some(({ loss }) => !Number.isFinite(loss))) return true;
  const start = train.slice(0, 5).map(({ loss }) => loss);
  if (train.length < 10) return false;
  const spread = Math.sqrt(mean(start.map((loss) => (loss - mean(start)) ** 2)));
  return last.every(({ loss }) => loss > (1 + 2 * DIVERGED_SHARE) * mean(start) + 4 * spread);
}

/** The earliest point that is as good as the best to a reader: less training does as well, and has less by heart. */
function recommended(heldOut: readonly HeldOutPoint[]): HeldOutPoint | null {
  const finite = heldOut.filter(({ loss }) => Number.isFinite(loss));
  if (finite.length === 0) return null;
  const best = finite.reduce((low, point) => (point.loss < low.loss ? point : low));
  return finite.find(({ loss }) => loss - best.loss <= LEAST_SHARE * best.loss) ?? best;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of an example at a measurement. */
export interface ExampleNll {
  /** Sum over its tokens, nats. */
  nll: number;
  tokens: number;
}

/**
 * Standard error of the change of a mean loss a token between two measurements of the same examples: that of a ratio of
 * sums over examples, which vary in length (Cochran 1977, § 2.11). Undefined for fewer than two examples.
 */
export function pairedError(first: readonly ExampleNll[], now: readonly ExampleNll[]): number | undefined {
  const n = first.length;
  if (n < 2 || now.length !== n) return undefined;
  const tokens = now.reduce((sum, one) => sum + one.tokens, 0);
  const change = now.reduce((sum, one, i) => sum + one.nll - first[i]!.nll, 0) / tokens;
  const squares = now.reduce((sum, one, i) => sum + (one.nll - first[i]!.nll - change * one.tokens) ** 2, 0);
  return Math.sqrt((n / (n - 1)) * squares) / tokens;
}
