import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { openExecution } from "../execution/open";
import { RunControl } from "../loop";
import { openNode } from "../runtime/node";
import { referenceModel } from "../testing/reference";
import { settings } from "../testing/tiny";
import type { TokenizedExample } from "./batch";
import { machineOf } from "./checkpoint";
import type { SftConfig } from "./config";
import { fineTune } from "./fine-tune";
import { planSteps } from "./plan";
import { pairedError, READING_STATES, readCurve, type HeldOutPoint, type ReadingState, type TrainPoint } from "./reading";
import { executionSettings, SftTrainer, startingAdapter } from "./trainer";

const POINTS = 21, EVERY = 10;

interface Course {
  heldOut: (share: number) => number;
  train?: (share: number) => number;
}

/** Points of a course with noise on each, the same examples measured every time. */
function curve({ heldOut, train = heldOut }: Course, seed: number, { noise = 0.01, points = POINTS, tokens = 3000, told = true } = {}): { train: TrainPoint[]; heldOut: HeldOutPoint[] } {
  const random = new Random(`curve-${seed}`);
  const last = (points - 1) * EVERY;
  return {
    heldOut: Array.from({ length: points }, (_, i) => ({ step: i * EVERY, loss: heldOut(i / (points - 1)) + noise * random.normal(), tokens, examples: 40, ...(told && i > 0 ? { changeError: noise * Math.SQRT2 } : {}) })),
    train: Array.from({ length: last }, (_, i) => ({ step: i + 1, loss: train((i + 1) / last) + 0.15 * random.normal() })),
  };
}

/** The state after each measurement, as a page would have shown it. */
function states({ train, heldOut }: ReturnType<typeof curve>): ReadingState[] {
  return heldOut.map((_, n) => readCurve(train.filter(({ step }) => step <= heldOut[n]!.step), heldOut.slice(0, n + 1)).state);
}
const changes = (all: readonly ReadingState[]) => all.filter((state, i) => i > 0 && state !== all[i - 1]).length;
const SEEDS = Array.from({ length: 30 }, (_, i) => i);

/** To a floor, half of the way in a tenth of the run. */
const falling = (share: number) => 4 + 0.8 * 2 ** (-share * 10);
const straight = (share: number) => 4.8 - 0.8 * share;
/** Lowest at three tenths, then up again. */
const rising = (share: number) => 4 + 4 * (share - 0.3) ** 2;

describe("on made curves", () => {
  it("is still learning where the loss falls to the end", () => {
    for (const seed of SEEDS) {
      const all = states(curve({ heldOut: straight }, seed));
      expect(all.slice(0, 2)).toEqual(["starting", "starting"]);
      expect(all.at(-1)).toBe("learning");
      expect(changes(all)).toBeLessThanOrEqual(3);
    }
  });

  it("slows and settles where it falls to a floor, in that order", () => {
    const counts = SEEDS.map((seed) => {
      const all = states(curve({ heldOut: falling }, seed));
      expect(all.at(-1)).toBe("settled");
      expect(all.indexOf("learning")).toBeLessThan(all.indexOf("settled"));
      expect(all).not.toContain("diverged");
      return changes(all);
    });
    expect(Math.max(...counts)).toBeLessThanOrEqual(5); // starting, learning, slowing, settled, and once there and back
    expect(counts.reduce((a, b) => a + b) / counts.length).toBeLessThan(3.5);
    // Noise about a floor is hardly ever taken for memorising.
    const alarms = Array.from({ length: 200 }, (_, seed) => states(curve({ heldOut: falling, train: straight }, seed))).filter((all) => all.includes("memorising"));
    expect(alarms.length).toBeLessThan(0.05 * 200);
  });

  it("says that it memorises where the held-out loss rises beyond noise while training falls, and recommends the lowest", () => {
    for (const seed of SEEDS) {
      const points = curve({ heldOut: rising, train: straight }, seed);
      const all = states(points);
      const first = all.indexOf("memorising");
      // Not before the lowest, and well before the end.
      expect(first).toBeGreaterThan(6);
      expect(first).toBeLessThan(14);
      expect(new Set(all.slice(first))).toEqual(new Set(["memorising"]));
      const { recommendedStep, gain, advice } = readCurve(points.train, points.heldOut);
      expect(advice).toBe("stop");
      expect(recommendedStep! / EVERY).toBeGreaterThanOrEqual(3);
      expect(recommendedStep! / EVERY).toBeLessThanOrEqual(9);
      expect(gain).toBeGreaterThan(0.05);
    }
  });

  it("does not, where the training loss rises as well", () => {
    for (const seed of SEEDS) expect(states(curve({ heldOut: rising, train: rising }, seed)).at(-1)).not.toBe("memorising");
  });

  it("has settled where nothing is learned at all", () => {
    // But for a start that was high by luck.
    expect(SEEDS.filter((seed) => states(curve({ heldOut: () => 4 }, seed)).at(-1) === "settled").length).toBeGreaterThan(0.9 * SEEDS.length);
    const points = curve({ heldOut: () => 4 }, 2);
    expect(readCurve(points.train, points.heldOut)).toMatchObject({ state: "settled", advice: "may stop" });
  });

  it("says that numbers have run away", () => {
    const up = (share: number) => 4 + 3 * share;
    for (const seed of SEEDS) expect(states(curve({ heldOut: up }, seed)).at(-1)).toBe("diverged");
    // It can get so bad by heart alone, while it reads ever better what it learns from.
    for (const seed of SEEDS) expect(states(curve({ heldOut: up, train: straight }, seed)).at(-1)).toBe("memorising");
    const good = curve({ heldOut: straight }, 1);
    expect(readCurve(good.train, [...good.heldOut, { step: 999, loss: NaN, tokens: 3000 }])).toMatchObject({ state: "diverged", recommendedStep: 200 });
    expect(readCurve([...good.train, { step: 999, loss: Infinity }], good.heldOut).state).toBe("diverged");
    expect(readCurve(curve({ heldOut: up }, 1).train, []).state).toBe("diverged");
    expect(readCurve(good.train, []).state).toBe("too-little"); // nothing is kept aside
  });

  it("says so where too little is kept aside", () => {
    const few = curve({ heldOut: rising, train: straight }, 3, { tokens: 150 });
    expect(readCurve(few.train, few.heldOut)).toMatchObject({ state: "too-little", advice: "go on" });
    const points = curve({ heldOut: rising, train: straight }, 3);
    expect(readCurve(points.train, points.heldOut.map((point) => ({ ...point, examples: 3 }))).state).toBe("too-little");
  });

  it("believes less where the noise is greater, and guesses it by the tokens where it is not told", () => {
    const final = (noise: number, told: boolean, tokens = 3000) => SEEDS.map((seed) => states(curve({ heldOut: (share) => 4 + 0.2 * (share - 0.3) ** 2, train: straight }, seed, { noise, told, tokens })).at(-1)!);
    expect(final(0.005, true).filter((state) => state === "memorising").length).toBe(SEEDS.length);
    expect(final(0.1, true).filter((state) => state === "memorising").length).toBeLessThan(0.1 * SEEDS.length);
    expect(final(0.005, false, 30_000).filter((state) => state === "memorising").length).toBe(SEEDS.length);
    expect(final(0.005, false, 300).filter((state) => state === "memorising").length).toBe(0);
  });

  it("is starting before there is anything, and takes points in any order", () => {
    expect(readCurve([], [])).toMatchObject({ state: "starting", recommendedStep: null, gain: null });
    const points = curve({ heldOut: rising, train: straight }, 5);
    expect(readCurve([...points.train].reverse(), [...points.heldOut].reverse())).toEqual(readCurve(points.train, points.heldOut));
  });

  it("has words for each state, and recommends a finite step", () => {
    for (const state of READING_STATES) expect(state).toMatch(/^[a-z-]+$/);
    expect(readCurve([], [{ step: 0, loss: NaN, tokens: 900 }, { step: 5, loss: 3, tokens: 900 }]).recommendedStep).toBe(5);
    // An earlier state that is as good to a reader.
    expect(readCurve([], [[0, 4], [10, 3.0005], [20, 3]].map(([step, loss]) => ({ step: step!, loss: loss!, tokens: 900 }))).recommendedStep).toBe(10);
  });
});

describe("pairedError", () => {
  it("is the spread of the change of means over draws of examples", () => {
    const random = new Random("paired");
    const draw = (n: number) => Array.from({ length: n }, () => {
      const tokens = 20 + random.int(60), level = 3 + random.normal(); // examples differ far more than they change
      const nll = tokens * level;
      return { before: { nll, tokens }, after: { nll: nll + tokens * (-0.2 + 0.1 * random.normal()), tokens } };
    });
    const mean = (of: { nll: number; tokens: number }[]) => of.reduce((s, e) => s + e.nll, 0) / of.reduce((s, e) => s + e.tokens, 0);
    const trials = Array.from({ length: 800 }, () => {
      const examples = draw(40);
      const [before, after] = [examples.map((e) => e.before), examples.map((e) => e.after)];
      return { change: mean(after) - mean(before), error: pairedError(before, after)! };
    });
    const average = trials.reduce((s, t) => s + t.change, 0) / trials.length;
    const spread = Math.sqrt(trials.reduce((s, t) => s + (t.change - average) ** 2, 0) / (trials.length - 1));
    expect(trials.reduce((s, t) => s + t.error, 0) / trials.length / spread).toBeGreaterThan(0.92);
    expect(trials.reduce((s, t) => s + t.error, 0) / trials.length / spread).toBeLessThan(1.08);
    expect(pairedError(draw(1).map((e) => e.before), [])).toBeUndefined();
  });
});

describe("on real runs of a tiny model", () => {
  const backend = openNode();
  const { config: model, weights } = referenceModel("qwen2-tied");
  const base = settings({ learningRate: 0.01, evaluations: 16, maxSteps: 96, batchSize: 4, lrSchedulerType: "constant" });

  /** Texts with something in common: each token mostly follows from the one before by a rule. */
  function ruled(seed: string, count: number): TokenizedExample[] {
    const random = new Random(seed);
    return Array.from({ length: count }, (_, i) => {
      const ids = [1 + random.int(90)];
      while (ids.length < 24) ids.push(random.uniform() < 0.8 ? 1 + ((ids.at(-1)! * 7 + 3) % 90) : 1 + random.int(90));
      return { ids, promptLength: 1, documentId: String(i), completionBytes: 24 };
    });
  }

  async function run(examples: TokenizedExample[], heldOut: TokenizedExample[], changes: Partial<SftConfig> = {}) {
    const config = { ...base, ...changes };
    const execution = await openExecution(backend, { config: model, weights }, executionSettings(config));
    const trainer = SftTrainer.on(execution, model, config, startingAdapter(model, weights, config));
    const points: ReturnType<typeof curve> = { train: [], heldOut: [] };
    await fineTune(trainer, planSteps([examples], config), heldOut, config, machineOf(backend, weights, execution.plan), new RunControl(), {
      step: (step, { loss }) => void points.train.push({ step, loss }),
      heldOut: (step, score, _adapter, _best, changeError) => void points.heldOut.push({ step, loss: score.loss, tokens: score.tokens, examples: score.examples, ...(changeError === undefined ? {} : { changeError }) }),
    }).catch(() => undefined); // a run that ran away ends with an error
    await execution.dispose();
    return { points, all: states(points) };
  }

  it("learns a rule that the held-out texts share", async () => {
    const { points, all } = await run(ruled("train", 400), ruled("held out", 40), { learningRate: 0.003 });
    expect(points.heldOut.slice(1).every(({ changeError }) => changeError! > 0 && changeError! < 0.1)).toBe(true);
    expect(points.heldOut[0]).not.toHaveProperty("changeError");
    expect(all).toContain("learning");
    for (const state of ["memorising", "diverged", "too-little"] as const) expect(all).not.toContain(state);
    expect(changes(all)).toBeLessThanOrEqual(4);
  });

  it("memorises a few texts, and the lowest is recommended", async () => {
    const { points, all } = await run(ruled("train", 8), ruled("held out", 40), { maxSteps: 160 });
    expect(all.at(-1), JSON.stringify(all)).toMatch(/memorising|diverged/);
    expect(all).toContain("memorising");
    const lowest = points.heldOut.reduce((low, point) => (point.loss < low.loss ? point : low));
    const { recommendedStep } = readCurve(points.train, points.heldOut);
    expect(recommendedStep).toBeLessThanOrEqual(lowest.step);
    expect(points.heldOut.find(({ step }) => step === recommendedStep)!.loss).toBeLessThan(lowest.loss * 1.002);
  });

  it("settles at once where nothing can be learned, and tells too little text", async () => {
    expect((await run(ruled("train", 100), ruled("held out", 40), { learningRate: 0 })).all.at(-1)).toBe("settled");
    expect((await run(ruled("train", 100), ruled("held out", 3), { maxSteps: 16, evaluations: 4 })).all.at(-1)).toBe("too-little");
  });
});
