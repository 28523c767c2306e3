import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { mlpFlops, stepFlops } from "../../../tools/bench/engine/flops";
import { modelOf, SIZES } from "../../../tools/bench/engine/sizes";
import { splitDocuments } from "../../data/split";
import { adapterShapes } from "../model/lora";
import { tinyModel } from "../testing/hand";
import { LARGE_MODEL_DEFAULTS, PROJECTIONS, type SftConfig } from "./config";
import { dialConfig, DIAL } from "./dial";
import { planSteps } from "./plan";
import { prepareData } from "./prepare";
import { adapterParameters, estimateWork, forwardFlops, lookAtWriting, roughWriting, trainFlops } from "./work";

const { tokenizer } = tinyModel();

describe.each(["allotment", "letters"])("the estimate for the sample writer %s", (name) => {
  const { pieces } = JSON.parse(readFileSync(new URL(`../../../public/samples/${name}.json`, import.meta.url), "utf8")) as { pieces: { text: string }[] };
  let documents: { id: string; text: string }[];
  beforeAll(() => void (documents = pieces.map(({ text }, i) => ({ id: String(i), text }))));
  const within = (value: number, of: number, share: number) => expect(Math.abs(value / of - 1), `${value} of ${of}`).toBeLessThan(share);

  it.each<[string, Partial<SftConfig>]>([
    ["as it is", {}], ["in accumulated batches", { batchSize: 2, gradientAccumulationSteps: 3 }], ["for a part of a pass", { epochs: 1.5 }], ["packed", { packing: true, maxLength: 512 }], ["for so many steps", { maxSteps: 30 }], ["cut short", { maxLength: 96 }],
  ])("is near what is prepared, %s", async (_, changes) => {
    const config = { ...dialConfig("balanced", { parameters: 11e6, words: 11_000 }), ...changes };
    const work = estimateWork(config, lookAtWriting(documents, 1, tokenizer));
    const data = await prepareData(documents, 1, config, tokenizer);
    const plan = planSteps(data.epochs, config);
    const read = plan.flat(2).flatMap((row) => ("ids" in row ? [row] : [...row])).reduce((sum, { ids }) => sum + ids.length, 0);
    expect(work.examples / data.epochs[0]!.length).toBeCloseTo(1, 1);
    within(work.steps, plan.length, 0.1);
    within(work.steps * work.stepTokens, read, 0.1);
    within(work.completionTokens, data.epochs[0]!.reduce((sum, e) => sum + Math.max(0, e.ids.length - e.promptLength), 0) / data.epochs[0]!.length, 0.1);
    within(work.testExamples, data.test.length, 0.1);
    const padded = plan.flat().reduce((sum, rows) => sum + rows.length * Math.max(...rows.map((row) => ("ids" in row ? row.ids.length : row.reduce((n, { ids }) => n + ids.length, 0)))), 0);
    within(work.steps * work.paddedTokens, padded, 0.15);
    expect(work.checks).toBe(6);
  });
});

describe("the estimate", () => {
  it("from words alone is within a third of that from the text", () => {
    for (const name of ["allotment", "letters"]) {
      const { pieces } = JSON.parse(readFileSync(new URL(`../../../public/samples/${name}.json`, import.meta.url), "utf8")) as { pieces: { text: string }[] };
      const documents = pieces.map(({ text }, i) => ({ id: String(i), text }));
      const config = dialConfig("balanced", { parameters: 11e6, words: 11_000 });
      const [rough, seen] = [roughWriting(splitDocuments(documents, 1).rule.words, 8192), lookAtWriting(documents, 1, tokenizer)].map((writing) => estimateWork(config, writing));
      for (const key of ["steps", "exampleTokens", "completionTokens"] as const) expect(Math.abs(rough![key] / seen![key] - 1), key).toBeLessThan(0.33);
    }
  });

  it("grows with writing, and never is nothing", () => {
    const words = (train: number) => roughWriting({ train, validation: train / 8, test: train / 8 }, 8192);
    for (const position of DIAL) {
      const config = dialConfig(position, { parameters: 11e6, words: 5000 });
      expect(estimateWork(config, words(8000)).steps).toBeGreaterThan(estimateWork(config, words(4000)).steps);
      for (const value of Object.values(estimateWork(config, words(0)))) expect(value).toBeGreaterThan(0);
    }
    const nothing = estimateWork({ ...LARGE_MODEL_DEFAULTS, maxLength: 2 }, words(4000));
    for (const value of Object.values(nothing)) expect(value).toBeGreaterThan(0);
  });
});

describe("arithmetic", () => {
  it.each(["nano", "mid", "q05"] as const)("of a step is that of the benchmarks, at %s", (size) => {
    const { batch, seq } = SIZES[size];
    const model = modelOf(SIZES[size]);
    const ours = trainFlops(model, { rank: 8, targetModules: PROJECTIONS }, { tokens: batch * seq, rowTokens: seq, scored: (batch * seq) / 2 });
    // Theirs leaves out what the first and last layer can do without.
    const theirs = stepFlops(model, { batch, seq, promptLength: seq / 2, rank: 8 }, true);
    expect(ours / theirs).toBeGreaterThan(1);
    expect(ours / theirs).toBeLessThan(1.16);
    expect(mlpFlops(model, batch * seq)).toBeLessThan(ours);
  });

  it("grows by a pass forward where activations are computed again, but for the head", () => {
    const model = modelOf(SIZES.nano);
    const pass = { tokens: 100, rowTokens: 50, scored: 60 };
    const lora = LARGE_MODEL_DEFAULTS.lora;
    expect(trainFlops(model, lora, pass, true) - trainFlops(model, lora, pass)).toBeCloseTo(forwardFlops(model, lora, { ...pass, scored: 0 }), 0);
  });

  it("counts an adapter's numbers", () => {
    const model = modelOf(SIZES.mid);
    for (const lora of [{ rank: 8, targetModules: PROJECTIONS }, { rank: 3, targetModules: ["q_proj", "down_proj"] as const }]) {
      expect(adapterParameters(model, lora)).toBe([...adapterShapes(model, lora).values()].reduce((sum, [rows, columns]) => sum + rows * columns, 0));
    }
  });
});
