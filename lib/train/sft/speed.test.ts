import { describe, expect, it } from "vitest";
import type { Metric } from "../../store/types";
import { modelOf, SIZES } from "../../../tools/bench/engine/sizes";
import { LARGE_MODEL_DEFAULTS } from "./config";
import { measureRun, productSpeed, speedOf, type MeasuredRun } from "./speed";
import { trainFlops } from "./work";

const model = modelOf(SIZES.nano);
const run = { modelSha256: "a", device: { kind: "wasm", threads: 2, reason: "" } as const, step: 20, trainTokens: 20_000, config: LARGE_MODEL_DEFAULTS };
const point = (kind: Metric["kind"], step: number, atMs: number, tokens = 500): Metric => ({ runId: "r", kind, step, loss: 3, tokens, atMs });

/** Steps of 400 ms; checks of 2 s after steps 0, 10 and 20. */
function curve(steps = 20): Metric[] {
  const points: Metric[] = [point("heldout", 0, 2000)];
  let at = 5000; // the first step makes buffers
  for (let step = 1; step <= steps; step++) {
    points.push(point("train", step, at));
    if (step % 10 === 0) points.push(point("heldout", step, (at += 2000)));
    at += 400;
  }
  return points;
}

describe("measureRun", () => {
  it("takes the time of steps, without the first, checks and odd waits", () => {
    const measured = measureRun(run, curve(), model)!;
    expect(measured).toMatchObject({ modelSha256: "a", device: { kind: "wasm", threads: 2 } });
    expect(measured.tokensPerSecond).toBeCloseTo(1000 / 0.4, 6);
    expect(measured.checkSeconds).toBeCloseTo(2, 6);
    expect(measured.flopsPerSecond! / 2500).toBeCloseTo(trainFlops(model, run.config.lora, { tokens: 1, rowTokens: 128, scored: 0.5 }), 0);
    const slept = curve().map((p) => (p.step > 15 ? { ...p, atMs: p.atMs + 3_600_000 } : p));
    expect(measureRun(run, slept, model)!.tokensPerSecond).toBeCloseTo(2500, 6);
    expect(measureRun(run, [...curve()].reverse(), model)).toEqual(measured);
    expect(measureRun(run, curve())).not.toHaveProperty("flopsPerSecond");
  });

  it("counts tokens where some of the curve is not there", () => {
    const gaps = curve().filter(({ step }) => step <= 8 || step > 12);
    expect(measureRun(run, gaps, model)!.tokensPerSecond).toBeCloseTo(2500, 6);
  });

  it("weighs steps by their tokens", () => {
    const uneven = curve().map((p) => (p.kind === "train" ? { ...p, tokens: p.step % 2 === 0 ? 900 : 100 } : p));
    expect(measureRun(run, uneven, model)!.tokensPerSecond).toBeGreaterThan(2000);
    expect(measureRun(run, uneven, model)!.tokensPerSecond).toBeLessThan(3000);
  });

  it("says nothing of too little", () => {
    expect(measureRun(run, curve(4))).toBeNull();
    expect(measureRun(run, [])).toBeNull();
    const { device: _, ...without } = run;
    expect(measureRun(without, curve())).toBeNull();
  });
});

describe("speedOf", () => {
  const device = { kind: "wasm", threads: 2 } as const;
  const past = (modelSha256: string, flopsPerSecond: number, more: Partial<MeasuredRun> = {}): MeasuredRun => ({ modelSha256, device, tokensPerSecond: 1, checkSeconds: 3, flopsPerSecond, ...more });

  it("goes by the same model's runs here, then by others', then by a timed product, then by a guess, and is less and less sure", () => {
    const runs = [past("a", 10e9), past("a", 30e9), past("a", 20e9), past("b", 90e9), past("a", 1e9, { device: { kind: "wasm", threads: 4 } })];
    const all = [speedOf({ device, modelSha256: "a", runs, product: 5e9 }), speedOf({ device, modelSha256: "c", runs, product: 5e9 }), speedOf({ device, modelSha256: "a", product: 5e9 }), speedOf({ device, modelSha256: "a" })];
    expect(all.map(({ from }) => from)).toEqual(["model", "device", "timing", "guess"]);
    expect(all[0]).toMatchObject({ flopsPerSecond: 20e9, checkSeconds: 3 });
    expect(all.slice(1).map(({ checkSeconds }) => checkSeconds)).toEqual([null, null, null]);
    expect(all.map(({ spread }) => spread)).toEqual(all.map(({ spread }) => spread).sort((a, b) => a - b));
    expect(all[2]!.flopsPerSecond).toBeLessThan(5e9);
  });

  it("goes by the newest runs of a device", () => {
    const runs = [...Array.from({ length: 9 }, () => past("a", 1e9)), ...Array.from({ length: 5 }, () => past("a", 7e9))];
    expect(speedOf({ device, modelSha256: "a", runs }).flopsPerSecond).toBe(7e9);
  });

  it("guesses by kind and threads", () => {
    const of = (kind: "wasm" | "webgpu", threads: number) => speedOf({ device: { kind, threads }, modelSha256: "a" }).flopsPerSecond;
    expect(of("wasm", 4)).toBe(4 * of("wasm", 1));
    expect(of("webgpu", 4)).toBeGreaterThan(of("wasm", 4));
  });
});

it("productSpeed counts two products of 128 × 256 × 1024", () => expect(productSpeed(2)).toBe((4 * 128 * 256 * 1024) / 0.002));
