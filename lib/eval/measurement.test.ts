import { describe, expect, it } from "vitest";
import { isWhole, lossIntervals, type Measurement, readMeasurement, reportOf } from "./measurement";

const system = (id: string, hard: number, texts: string[]): Measurement["tuned"] => ({
  scores: { id, name: id, tokenizer: "t", passages: Array.from({ length: 8 }, (_, i) => ({ id: `p${i}`, documentId: `d${i}`, tokens: 10, nats: 10 * hard + i, bytes: 40 })) },
  texts,
});
const own = ["one two three four", "five six seven eight", "nine ten eleven twelve"];
const measured = (id: string, hard: number, part: Partial<Measurement> = {}): Measurement => ({
  version: 1, basis: "b", model: "m", base: system("base/m", 4, own.map((text) => `${text} base`)), tuned: system(id, hard, own.map((text) => `${text} ${id}`)), own, ...part,
});

describe("a measurement", () => {
  it("is read as it was kept, and nothing else", () => {
    const one = measured("a", 3);
    expect(readMeasurement(JSON.parse(JSON.stringify(one)))).toEqual(one);
    expect(isWhole(one)).toBe(true);
    for (const bad of [null, { ...one, version: 2 }, { ...one, own: [] }, { ...one, base: undefined }]) {
      expect(() => readMeasurement(bad)).toThrow(expect.objectContaining({ code: "data/damaged-measurement" }) as Error);
    }
  });

  it("makes a report of base and adapter, and of several adapters with their base once", () => {
    const one = reportOf([measured("a", 3)], ["one two three four"], 1);
    expect(one.heldOut!.systems.map(({ id }) => id)).toEqual(["base/m", "a"]);
    expect(one.heldOut!.comparisons[0]!.loss!.value).toBeCloseTo(-1, 12);
    expect(one.variety).toMatchObject({ prompts: 3, own: { copied: { longest: 4 } } });
    const several = reportOf([measured("a", 3), measured("b", 2), measured("c", 2, { basis: "other" })], [], 1);
    expect(several.heldOut!.systems.map(({ id }) => id)).toEqual(["base/m", "a", "b"]);
    expect(several.variety!.systems.map(({ id }) => id)).toEqual(["base/m", "a", "b"]);
    expect(several.variety!.own.copied).toBeNull();
  });

  it("says where both losses lie, as its report does, and nothing where it rests on too little", () => {
    const one = measured("a", 3), loss = (at: number) => reportOf([one], [], 7).heldOut!.systems[at]!.loss;
    expect(lossIntervals(one, 7)).toEqual({ level: 0.95, base: [loss(0).low, loss(0).high], tuned: [loss(1).low, loss(1).high] });
    expect(loss(1).low).toBeLessThan(loss(1).value!);
    one.tuned.scores.passages.length = 5;
    expect(lossIntervals(one, 7)).toBeNull();
  });

  it("that was stopped is reported on as far as it came", () => {
    const scored = measured("a", 3, { base: system("base/m", 4, []), tuned: system("a", 3, []) });
    expect(isWhole(scored)).toBe(false);
    expect(reportOf([scored], [], 1)).toMatchObject({ variety: null, heldOut: { systems: [{ id: "base/m" }, { id: "a" }] } });
    const half = measured("a", 3, { base: system("base/m", 4, own.slice(0, 2)), tuned: system("a", 3, own.slice(0, 2)) });
    expect(reportOf([half, measured("b", 2)], [], 1).variety).toMatchObject({ prompts: 2, systems: [{ id: "base/m" }, { id: "a" }, { id: "b" }] });
    expect(reportOf([measured("b", 2), half], [], 1).variety!.systems.map(({ id }) => id)).toEqual(["base/m", "b"]);
  });
});
