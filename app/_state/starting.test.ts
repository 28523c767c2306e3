import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Hand } from "../../lib/store/types";
import type { RunPrediction } from "../../lib/train/sft/predict";
import type { PredictedRun, PredictRequest, TrainRequest } from "../../workers/protocol";

const started: [TrainRequest, RunPrediction | null][] = [];
const foretold: RunPrediction[] = [];
const asked: PredictRequest[] = [];
let answer: (predicted: PredictedRun) => void = () => undefined;
let refuse: (error: Error) => void = () => undefined;

const adapters = [{ id: "mine", modelId: "ductus-base", modelSha256: "x" }, { id: "other", modelId: "Qwen", modelSha256: "y" }];
vi.mock("../_engine/device", () => ({ lookAtDevice: () => Promise.resolve({ webgpu: false, threads: 2 }) }));
vi.mock("../_engine/trainer", () => ({
  predict: (request: PredictRequest) => {
    asked.push(request);
    return new Promise((resolve, reject) => ([answer, refuse] = [resolve, reject]));
  },
}));
vi.mock("./run", () => ({ startRun: (request: TrainRequest, prediction: RunPrediction | null) => started.push([request, prediction]), foretell: (prediction: RunPrediction) => foretold.push(prediction) }));
vi.mock("./models", () => ({ models: { get: () => ({ stored: [] }) } }));
vi.mock("./workspace", () => ({ workspace: { get: () => ({ used: [{ words: 4000 }, { words: 500 }], adapters }) } }));
const { askForecast, forecast, isAbout } = await import("./forecast");
const { goOnFrom, recipe, resetAll, setOne, turnDial } = await import("./recipe");
const { nextRun, startAdapter, startNext } = await import("./starting");

const hand = { id: "h", name: "Ann" } as Hand;
const predicted = (name: string) => ({ prediction: { name } }) as unknown as PredictedRun;
const settle = () => vi.advanceTimersByTimeAsync(300);

beforeEach(async () => {
  vi.useFakeTimers();
  resetAll();
  turnDial("balanced");
  goOnFrom(null);
  askForecast(nextRun(hand));
  await settle();
  answer(predicted("before"));
  await settle();
  for (const list of [started, foretold, asked]) list.length = 0;
});

describe("the forecast", () => {
  it("is asked once for many changes, and the last answer wins", async () => {
    askForecast(nextRun(hand))();
    setOne("maxSteps", 3, { parameters: 0, words: 4500 });
    askForecast(nextRun(hand))();
    askForecast(nextRun(hand));
    await settle();
    expect(asked.map(({ config }) => config.maxSteps)).toEqual([3]);
    const first = answer;
    setOne("maxSteps", 4, { parameters: 0, words: 4500 });
    askForecast(nextRun(hand));
    await settle();
    answer(predicted("second"));
    await settle();
    first(predicted("first"));
    await settle();
    expect(forecast.get()).toMatchObject({ predicted: predicted("second"), waiting: false, error: null });
    expect(isAbout(forecast.get(), nextRun(hand))).toBe(true);
    setOne("maxSteps", 5, { parameters: 0, words: 4500 });
    expect(isAbout(forecast.get(), nextRun(hand))).toBe(false);
  });

  it("says why there is none, and is there again after", async () => {
    askForecast(nextRun(hand));
    await settle();
    refuse(new Error("no network"));
    await settle();
    expect(forecast.get()).toMatchObject({ predicted: null, waiting: false });
    expect(forecast.get().error?.code).toBe("app/unexpected");
    expect(isAbout(forecast.get(), nextRun(hand))).toBe(false);
  });
});

describe("a start", () => {
  it("takes the settings as they stand, and what was said of them", () => {
    startNext(hand);
    expect(started).toMatchObject([[{ handId: "h", device: "auto", config: { epochs: 3 } }, { name: "before" }]]);
    expect(started[0]![0]).not.toHaveProperty("startAdapterId");
    expect(foretold).toEqual([]);
  });

  it("that comes before it could be said hears it later, and of nothing but itself", async () => {
    setOne("maxSteps", 7, { parameters: 0, words: 4500 });
    startNext(hand);
    expect(started).toMatchObject([[{ config: { maxSteps: 7 } }, null]]);
    await settle();
    answer(predicted("later"));
    await settle();
    expect(foretold).toEqual([{ name: "later" }]);
    askForecast(nextRun(hand));
    await settle();
    answer(predicted("of the next"));
    await settle();
    expect(foretold).toHaveLength(1);
  });

  it("goes on from an adapter of the hand's model only, and only once", () => {
    goOnFrom("other");
    expect(startAdapter(hand)).toBeNull();
    expect(nextRun(hand).startAdapterId).toBeNull();
    expect(startAdapter({ ...hand, model: { id: "y", name: "Qwen" } })).toMatchObject({ id: "other" });
    goOnFrom("gone");
    expect(startAdapter(hand)).toBeNull();
    goOnFrom("mine");
    startNext(hand);
    expect(started[0]![0]).toMatchObject({ startAdapterId: "mine" });
    expect(recipe.get().startAdapterId).toBeNull();
  });
});
