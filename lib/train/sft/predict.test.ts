import { describe, expect, it } from "vitest";
import { modelOf, SIZES } from "../../../tools/bench/engine/sizes";
import { choosePlan, executionSizes, heldSize } from "../execution/choose";
import { parseModelConfig } from "../model/config";
import { asHeld } from "../testing/held";
import { referenceModel } from "../testing/reference";
import { LARGE_MODEL_DEFAULTS, type SftConfig } from "./config";
import { dialConfig } from "./dial";
import { predictRun, type PredictedDevice, type PredictedModel, type RunPrediction } from "./predict";
import { compareWithMeasured, durationWords, memoryWords, predictionWords } from "./predict-words";
import { speedOf } from "./speed";
import { roughWriting } from "./work";

const GIB = 2 ** 30;
const device = (gib = 4.8, speed: Partial<PredictedDevice["speed"]> = {}): PredictedDevice =>
  ({ kind: "wasm", limits: { heapBytes: Math.min(3.4e9, gib * GIB), totalBytes: gib * GIB, uploads: false }, speed: { flopsPerSecond: 50e9, spread: 1.2, from: "model", checkSeconds: null, ...speed } });

/** The embedded model's shape. */
const small: PredictedModel = {
  config: parseModelConfig({ model_type: "qwen3", vocab_size: 8192, hidden_size: 320, num_hidden_layers: 8, num_attention_heads: 5, num_key_value_heads: 1, head_dim: 64, intermediate_size: 896, max_position_embeddings: 1024, tie_word_embeddings: true }),
  storage: "f32", weightBytes: 4 * 11_475_264,
};
const half: PredictedModel = { config: modelOf(SIZES.q05), storage: "q4", weightBytes: 309e6 };
const writing = (train: number) => roughWriting({ train, validation: train / 8, test: train / 8 }, 8192);
const balanced = dialConfig("balanced", { parameters: 11e6, words: 11_000 });
const large = (changes: Partial<SftConfig> = {}): SftConfig => ({ ...LARGE_MODEL_DEFAULTS, ...changes });
const bytes = ({ parts }: RunPrediction, what: string) => parts.find((part) => part.what === what)!.bytes;

describe("time", () => {
  it("is made of its spans, and lies between its bounds", () => {
    for (const spread of [1.2, 3.5]) {
      const { seconds, spans } = predictRun(balanced, small, device(4.8, { spread }), writing(9000));
      expect(seconds.likely).toBeCloseTo(spans.reduce((sum, span) => sum + span.seconds, 0), 9);
      expect(seconds.low).toBeLessThan(seconds.likely);
      expect(seconds.high).toBeGreaterThan(seconds.likely);
      for (const span of spans) expect(span.seconds).toBeGreaterThan(0);
    }
  });

  it("is near what the benchmarks report of the tab", () => {
    // README: nano, 8 × 128 tokens, 422 ms on 2 threads of a machine whose product runs at 65 to 75 GFLOP/s.
    const nano: PredictedModel = { config: modelOf(SIZES.nano), storage: "f32", weightBytes: 4 * 5.3e6 };
    const config = large({ batchSize: 8, gradientAccumulationSteps: 1, maxLength: 128, maxSteps: 100, epochs: 1 });
    const { spans, work } = predictRun(config, nano, device(4.8, speedOf({ device: { kind: "wasm", threads: 2 }, modelSha256: "", product: 70e9 })), writing(50_000));
    const step = spans.find(({ what }) => what === "steps")!.seconds / work.steps;
    expect(step * (1024 / work.paddedTokens)).toBeGreaterThan(0.422 / 1.4);
    expect(step * (1024 / work.paddedTokens)).toBeLessThan(0.422 * 1.4);
  });

  it("falls with speed, grows with passes, checks and computing twice", () => {
    const likely = (changes: Partial<SftConfig>, on = device(), model = small) => predictRun({ ...balanced, ...changes }, model, on, writing(9000)).seconds.likely;
    expect(likely({}, device(4.8, { flopsPerSecond: 100e9 }))).toBeLessThan(likely({}));
    expect(likely({ epochs: 4 })).toBeGreaterThan(1.6 * likely({}));
    expect(likely({ evaluations: 50 })).toBeGreaterThan(likely({}));
    expect(likely({}, device(4.8, { checkSeconds: 30 }))).toBeGreaterThan(180);
    const streamed = large({ batchSize: 1, maxLength: 512 });
    const [roomy, tight] = [device(6), device(1.6)].map((on) => predictRun(streamed, half, on, writing(9000)));
    expect([roomy!.plan, tight!.plan]).toEqual([{ kind: "streamed", recompute: false }, { kind: "streamed", recompute: true }]);
    const steps = ({ spans }: RunPrediction) => spans.find(({ what }) => what === "steps")!.seconds;
    expect(steps(tight!) / steps(roomy!)).toBeGreaterThan(1.2);
  });
});

describe("memory", () => {
  it("is made of its parts, and goes by the execution that would be chosen", () => {
    const { config, weights } = referenceModel("qwen2-tied");
    for (const storage of ["f32", "f16", "q8", "q4"] as const) {
      const held = asHeld(config, weights, storage);
      const weightBytes = executionSizes(config, heldSize(held), { batch: 1, seq: 1 }).weightBytes;
      for (const gib of [0.0004, 0.002, 4.8]) {
        const on = device(gib);
        const prediction = predictRun(large({ maxLength: 64, batchSize: 4 }), { config, storage, weightBytes }, on, writing(1000));
        expect(prediction.peakBytes).toBeCloseTo(prediction.parts.reduce((sum, part) => sum + part.bytes, 0), 3);
        expect(prediction.plan).toEqual(choosePlan(executionSizes(config, heldSize(held), { batch: 4, seq: 64 }), on.limits, 1));
        for (const part of prediction.parts) expect(part.bytes, part.what).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("is near what was measured of half a billion parameters in 4 bits", () => {
    // README: five steps of one row of 128 tokens took 883 MB of the renderer.
    const on = device(0.9);
    const { peakBytes, plan } = predictRun(large({ batchSize: 1, maxLength: 128 }), half, on, writing(1000));
    expect(plan).toEqual({ kind: "streamed", recompute: true });
    const work = (storage: PredictedModel["storage"]) => bytes(predictRun(large({ batchSize: 1, maxLength: 128 }), { ...half, storage }, on, writing(1000)), "work");
    expect(work("f32")).toBe(0);
    expect(work("q4")).toBeGreaterThan(4 * half.config.hiddenSize * half.config.intermediateSize); // a matrix as floats
    expect(peakBytes).toBeGreaterThan(883e6 / 1.25);
    expect(peakBytes).toBeLessThan(883e6 * 1.25);
  });

  it("grows with batch, length, rank and exact moments", () => {
    const peak = (changes: Partial<SftConfig>) => predictRun({ ...balanced, ...changes }, small, device(), writing(9000)).peakBytes;
    for (const more of [{ batchSize: 16 }, { maxLength: 512 }, { lora: { ...balanced.lora, rank: 32 } }]) expect(peak(more)).toBeGreaterThan(peak({}));
    expect(peak({ optim: "adamw_8bit" })).toBeLessThan(peak({}));
    const copies = (uploads: boolean) => bytes(predictRun(large(), half, { ...device(1), limits: { heapBytes: 1e9, totalBytes: 1e9, uploads } }, writing(900)), "copies");
    expect([copies(false), copies(true)]).toEqual([0, 2 * half.weightBytes]);
  });

  it("goes by the longest example where that is known, and by full rows where they are packed; the plan by what the run reckons with", () => {
    const known = (longestTokens: number, changes: Partial<SftConfig> = {}) => predictRun({ ...balanced, ...changes }, small, device(), { ...writing(9000), longestTokens });
    const unknown = predictRun(balanced, small, device(), writing(9000));
    expect(bytes(known(128), "activations")).toBeLessThan(bytes(unknown, "activations") / 2);
    expect(known(5000).peakBytes).toBe(unknown.peakBytes);
    expect(bytes(known(128, { packing: true }), "activations")).toBe(bytes(unknown, "activations"));
    expect(known(128).plan).toEqual(unknown.plan);
  });

  it("fits, is tight, or does not fit, with advice that helps", () => {
    const on = (totalBytes: number): PredictedDevice => ({ ...device(), limits: { heapBytes: totalBytes, totalBytes } });
    const config = large({ batchSize: 16, maxLength: 1024 });
    const fits = (totalBytes: number, changes: Partial<SftConfig> = {}) => predictRun({ ...config, ...changes }, half, on(totalBytes), writing(900));
    expect(fits(40e9)).toMatchObject({ fits: "yes", advice: [] });
    const roomless = fits(0.6e9, { batchSize: 1, maxLength: 128 });
    expect(roomless.fits).toBe("no");
    expect(roomless.advice[0]).toMatch(/smaller model, or hold/);
    expect(fits(1.15e9, { batchSize: 1, maxLength: 128 }).fits).toBe("tight");
    const wide = predictRun({ ...balanced, batchSize: 256, maxLength: 1024 }, small, on(2e9), writing(900));
    expect(wide.fits).not.toBe("yes");
    expect(wide.advice[0]).toMatch(/^Lower the batch size \(now 256\)/);
    expect(predictRun({ ...balanced, batchSize: 1, maxLength: 1024, lora: { ...balanced.lora, rank: 1024 } }, small, on(1.3e9), writing(900)).advice[0]).toMatch(/8 bits, or a lower rank/);
    expect(predictRun({ ...config, epochs: 100 }, half, on(40e9), writing(90_000)).advice).toEqual([expect.stringContaining("Quick")]);
  });
});

describe("words", () => {
  it.each([[3, "a few seconds"], [38, "about 40 seconds"], [59, "about a minute"], [118, "about 2 minutes"], [1500, "about 25 minutes"], [5000, "about 85 minutes"], [5500, "about 1.5 hours"], [40_000, "about 11 hours"], [400_000, "about 5 days"]])("%i s are “%s”", (seconds, words) => {
    expect(durationWords(seconds)).toBe(words);
  });
  it.each([[4e6, "about 10 MB"], [93e6, "about 90 MB"], [610e6, "about 600 MB"], [960e6, "about 1.0 GB"], [1.84e9, "about 1.8 GB"]])("%i bytes are “%s”", (size, words) => {
    expect(memoryWords(size)).toBe(words);
  });

  const prediction = (likely: number, spread: number, fits: RunPrediction["fits"] = "yes") =>
    ({ seconds: { low: likely / spread, likely, high: likely * spread }, peakBytes: 610e6, fits, from: "model", spans: [{ what: "start", seconds: 3 }, { what: "end", seconds: 7 }] }) as unknown as RunPrediction;

  it("say both ends where they are far apart, and whether it fits", () => {
    expect(predictionWords(prediction(118, 1.2)).line).toBe("About 2 minutes; uses about 600 MB.");
    expect(predictionWords(prediction(300, 3)).line).toBe("About 5 minutes (2 minutes to 15 minutes); uses about 600 MB.");
    expect(predictionWords(prediction(118, 1.2, "tight")).line).toMatch(/tight on this device\.$/);
    expect(predictionWords(prediction(118, 1.2, "no")).line).toMatch(/more than this device/);
  });

  it("stand beside what is measured", () => {
    const at = (step: number, elapsed: number, remaining: number | null, peakBytes: number | null = null) => compareWithMeasured(prediction(120, 1.5), { step, totalSteps: 40, elapsedMs: 1000 * elapsed, remainingMs: remaining === null ? null : 1000 * remaining, peakBytes });
    expect(at(0, 2, null)).toMatchObject({ seconds: null, verdict: "unknown", words: "", memory: null });
    expect(at(2, 2, 100).verdict).toBe("unknown");
    expect(at(10, 30, 82)).toMatchObject({ seconds: 122, verdict: "as predicted", words: "As predicted: about 2 minutes in all." });
    expect(at(10, 30, 140).words).toBe("As predicted: about 3 minutes in all, 2 minutes were expected.");
    expect(at(10, 30, 560)).toMatchObject({ verdict: "slower", words: "Slower than predicted: about 10 minutes in all instead of 2 minutes. Other tabs or programs may be using the device." });
    expect(at(10, 10, 20).words).toBe("Quicker than predicted: about 40 seconds in all instead of 2 minutes.");
    expect(at(10, 30, 82, 700e6).memory).toMatchObject({ verdict: "as predicted", words: "Uses about 700 MB, as predicted." });
    expect(at(10, 30, 82, 1.2e9).memory!.words).toBe("Uses about 1.2 GB, more than the 600 MB that were predicted.");
    expect(at(10, 30, 82, 300e6).memory!.verdict).toBe("less");
  });
});
