import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { jackknifeEstimate } from "./estimate";
import { compareSystems, type PassageScore, type SystemScores } from "./held-out";
import { makeReport, readReport, type CompareReportInput } from "./report";
import { verdictOf } from "./verdict";

const random = new Random("report-test");

/** Passages of pieces; a piece is harder or easier as a whole. */
function passages(documents: number, each: number): PassageScore[] {
  return Array.from({ length: documents }, (_, d) => {
    const hard = 3.5 + 0.3 * random.normal();
    return Array.from({ length: each }, (_, i): PassageScore => {
      const tokens = 20 + random.int(60);
      return { id: `${d}:${i}`, documentId: `d${d}`, tokens, nats: tokens * Math.max(0.5, hard + 0.5 * random.normal()), bytes: 4 * tokens + random.int(40) };
    });
  }).flat();
}

/** The same passages, harder by a factor, with noise of so many nats a token. */
const changed = (scored: readonly PassageScore[], factor: number, noise = 0): PassageScore[] =>
  scored.map((passage) => ({ ...passage, nats: Math.max(0, passage.nats * factor + noise * passage.tokens * random.normal()) }));
const system = (id: string, scored: PassageScore[], tokenizer = "t"): SystemScores => ({ id, name: id, tokenizer, passages: scored });

describe("held-out figures", () => {
  const base = passages(12, 5);
  const sum = (of: keyof Omit<PassageScore, "id" | "documentId">) => base.reduce((total, one) => total + one[of], 0);
  const { heldOut } = makeReport({ seed: 1, systems: [system("base", base), system("tuned", changed(base, 0.9, 0.1))] });

  it("are pooled by token and by byte", () => {
    const measured = heldOut!.systems[0]!;
    expect(measured.loss.value).toBeCloseTo(sum("nats") / sum("tokens"), 12);
    expect(measured.perplexity.value).toBeCloseTo(Math.exp(sum("nats") / sum("tokens")), 9);
    expect(measured.bitsPerByte.value).toBeCloseTo(sum("nats") / Math.LN2 / sum("bytes"), 12);
    expect(measured).toMatchObject({ tokens: sum("tokens"), bytes: sum("bytes") });
  });

  it("have intervals over pieces, or over passages where there are few pieces, or none, and say so", () => {
    const report = (scored: PassageScore[]) => makeReport({ seed: 1, systems: [system("base", scored)] }).heldOut!.systems[0]!;
    expect(heldOut!.systems[0]!.units).toMatchObject({ kind: "documents", documents: 12, passages: 60 });
    const one = report(passages(1, 40));
    expect(one.units).toMatchObject({ kind: "passages", documents: 1, passages: 40 });
    expect(one.units.words).toContain("40 passages of 1 piece;");
    const few = report(passages(5, 1));
    expect(few.units.kind).toBe("none");
    expect(few.loss).toMatchObject({ low: null, high: null });
    expect(few.loss.value).toBeGreaterThan(0);
    // Pieces differ as wholes: passages alone would promise too much.
    const asPassages = report(base.map((passage) => ({ ...passage, documentId: "one" })));
    const width = ({ low, high }: { low: number | null; high: number | null }) => high! - low!;
    expect(width(heldOut!.systems[0]!.loss)).toBeGreaterThan(1.3 * width(asPassages.loss));
  });

  it("hold the truth in their intervals as often as they say", () => {
    let inside = 0;
    const rounds = 200;
    for (let round = 0; round < rounds; round++) {
      const scored = Array.from({ length: 30 }, (_, i): PassageScore => ({ id: String(i), documentId: String(i), tokens: 50, nats: 50 * (3 + 0.4 * random.normal()), bytes: 200 }));
      const { loss } = makeReport({ seed: round, systems: [system("base", scored)] }).heldOut!.systems[0]!;
      if (loss.low! <= 3 && loss.high! >= 3) inside++;
    }
    expect(inside / rounds).toBeGreaterThan(0.87);
    expect(inside / rounds).toBeLessThan(0.99);
  });
});

describe("two systems", () => {
  const base = passages(12, 5);

  it("differ by exactly nothing where they are the same", () => {
    const { loss, perplexityRatio, bitsPerByte, verdict, leftOut } = compareSystems(system("a", base), system("b", base), 1);
    expect(loss).toEqual({ value: 0, low: 0, high: 0 });
    expect(bitsPerByte).toEqual({ value: 0, low: 0, high: 0 });
    expect(perplexityRatio).toEqual({ value: 1, low: 1, high: 1 });
    expect({ verdict, leftOut }).toEqual({ verdict: { kind: "no difference", words: "no difference at all" }, leftOut: 0 });
  });

  it("are compared in pairs: a small steady gain shows that the figures alone would hide", () => {
    const tuned = changed(base, 0.97, 0.005);
    const { heldOut } = makeReport({ seed: 2, systems: [system("base", base), system("tuned", tuned)] });
    const [before, after] = heldOut!.systems;
    expect(after!.loss.high).toBeGreaterThan(before!.loss.low!);
    const { loss, verdict, bitsPerByte } = heldOut!.comparisons[0]!;
    expect(loss!.high).toBeLessThan(0);
    expect(bitsPerByte.high).toBeLessThan(0);
    expect(loss!.value).toBeCloseTo(after!.loss.value! - before!.loss.value!, 12);
    expect(verdict.kind).toBe("less surprised");
    expect(verdict.words).toMatch(/^a little less surprised by your writing: perplexity [\d.]+ → [\d.]+$/);
  });

  it("turn round when they change places", () => {
    const [one, other] = [system("a", base), system("b", changed(base, 1.2, 0.05))];
    const there = compareSystems(one, other, 3), back = compareSystems(other, one, 3);
    expect(back.loss!.value).toBeCloseTo(-there.loss!.value!, 12);
    expect(back.loss!.low).toBeCloseTo(-there.loss!.high!, 1);
    expect([there.verdict.kind, back.verdict.kind]).toEqual(["more surprised", "less surprised"]);
  });

  it("are said to differ without cause seldom", () => {
    let said = 0;
    for (let round = 0; round < 200; round++) {
      const scored = passages(20, 1);
      if (compareSystems(system("a", scored), system("b", changed(scored, 1, 0.2)), round).verdict.kind !== "no clear difference") said++;
    }
    expect(said).toBeGreaterThan(0);
    expect(said).toBeLessThan(28); // 5 % expected, somewhat more with 20 units
  });

  it("with other tokens are compared by bits per byte alone, on what both scored whole", () => {
    const other = changed(base, 0.8).map((passage, i) => ({ ...passage, tokens: passage.tokens + 7, bytes: passage.bytes - (i === 0 ? 5 : 0) })).slice(0, -1);
    const { loss, perplexityRatio, bitsPerByte, verdict, units, leftOut } = compareSystems(system("a", base), system("b", other, "u"), 1);
    expect([loss, perplexityRatio]).toEqual([null, null]);
    expect(bitsPerByte.high).toBeLessThan(0);
    expect(verdict.words).toMatch(/^less surprised by your writing: [\d.]+ → [\d.]+ bits per byte$/);
    expect({ passages: units.passages, leftOut }).toEqual({ passages: 58, leftOut: 3 });
  });

  it("are not compared where their numbers cannot be right", () => {
    const wrong = base.map((passage) => ({ ...passage, tokens: passage.tokens + 1 }));
    expect(() => compareSystems(system("a", base), system("b", wrong), 1)).toThrow(expect.objectContaining({ code: "data/scores" }) as Error);
    expect(() => compareSystems(system("a", base), system("b", [...base, base[0]!]), 1)).toThrow(expect.objectContaining({ code: "data/scores" }) as Error);
    expect(compareSystems(system("a", base), system("b", passages(1, 1).map((passage) => ({ ...passage, id: "other" }))), 1).verdict.kind).toBe("too little");
  });
});

it("verdicts are said in the words of the page", () => {
  const difference = { value: -0.2, low: -0.3, high: -0.1 };
  expect(verdictOf(difference, { before: 41.2, after: 29.4, unit: "perplexity", share: -0.09 }).words).toBe("less surprised by your writing: perplexity 41 → 29");
  expect(verdictOf(difference, { before: 41.2, after: 40.4, unit: "perplexity", share: -0.01 }).words).toBe("a little less surprised by your writing: perplexity 41.2 → 40.4");
  expect(verdictOf({ value: 0.1, low: 0.05, high: 0.2 }, { before: 1.5, after: 1.612, unit: "bits per byte", share: 0.08 }).words).toBe("more surprised by your writing: 1.50 → 1.61 bits per byte");
  expect(verdictOf({ value: -0.1, low: -0.3, high: 0.1 }, { before: 41, after: 40, unit: "perplexity", share: -0.01 }).words).toBe("no clear difference: perplexity 41.0 → 40.0");
  expect(verdictOf({ value: -0.1, low: null, high: null }, { before: 1, after: 1, unit: "perplexity", share: 0 }).kind).toBe("too little");
});

describe("what was written", () => {
  const vocabulary = Array.from({ length: 300 }, (_, i) => `w${String.fromCharCode(97 + (i % 26))}${String.fromCharCode(97 + Math.floor(i / 26))}`);
  const text = (count: number, different: number) => Array.from({ length: count }, () => vocabulary[random.int(different)]!).join(" ");
  const own = Array.from({ length: 20 }, () => text(60, 300));
  const dull = Array.from({ length: 20 }, () => text(90, 12));
  const training = [`${text(200, 300)} ${own[3]!.split(" ").slice(5, 25).join(" ")} ${text(50, 300)}`];
  const input: CompareReportInput = { seed: "s", systems: [], written: { own, systems: [{ id: "same", name: "same", texts: own }, { id: "dull", name: "dull", texts: dull }], training } };
  const variety = makeReport(input).variety!;
  const [same, other] = variety.systems;

  it("differs from the writer's own by exactly nothing where it is the same", () => {
    for (const { fromOwn } of [...same!.distinct, ...same!.repeated.filter(({ n }) => n < 8), same!.amongTexts]) expect(fromOwn).toEqual({ value: 0, low: 0, high: 0 });
    expect(same!.distinct.map(({ value }) => value)).toEqual(variety.own.distinct.map(({ value }) => value));
    expect(variety.own.distinct.every(({ fromOwn }) => fromOwn === null)).toBe(true);
  });

  it("has shares that are shares, to the ends of their intervals", () => {
    // All but one of nothing twice: evenly to both sides, the interval would pass 1.
    const varied = Array.from({ length: 10 }, (_, i) => Array.from({ length: 30 }, (_, j) => (i === 0 && j > 15 ? "again" : vocabulary[(30 * i + j) % 300]!)).join(" "));
    const { own: { distinct: [, , third], amongTexts } } = makeReport({ seed: "s", systems: [], written: { own: varied, systems: [], training: [] } }).variety!;
    expect(third!.value.value).toBeLessThan(1);
    expect(third!.value.high).toBe(1);
    expect(amongTexts.value.low).toBe(0);
  });

  it("is compared at equal length, and dull where it is", () => {
    expect(variety).toMatchObject({ prompts: 20, words: 1200, own: { meanWords: 60 } });
    expect(other!.meanWords).toBe(90);
    expect(other!.distinct.map(({ n }) => n)).toEqual([1, 2, 3]);
    for (const { fromOwn } of other!.distinct.slice(0, 2)) expect(fromOwn!.high).toBeLessThan(0);
    expect(other!.repeated.map(({ n }) => n)).toEqual([1, 2, 3, 4, 8]);
    expect(other!.repeated[0]!.fromOwn!.low).toBeGreaterThan(0);
    expect(other!.amongTexts.fromOwn!.low).toBeGreaterThan(0);
  });

  it("has its longest run in the training text found", () => {
    expect(variety.own.copied!.longest).toBeGreaterThanOrEqual(20);
    expect(other!.copied!.longest).toBeLessThan(10);
    expect(makeReport({ ...input, written: { ...input.written!, training: [] } }).variety!.own.copied).toBeNull();
  });

  it("is the same report again, and the same after JSON; what is no report is refused", () => {
    const report = makeReport(input);
    expect(makeReport(input)).toEqual(report);
    expect(readReport(JSON.parse(JSON.stringify(report)))).toEqual(report);
    expect(() => readReport({ ...report, version: 2 })).toThrow(expect.objectContaining({ code: "data/damaged-report" }) as Error);
  });

  it("may be nothing at all", () => {
    const empty = makeReport({ seed: 1, systems: [], written: { own: ["", "word"], systems: [{ id: "a", name: "a", texts: ["x", ""] }], training: [] } });
    expect(readReport(JSON.parse(JSON.stringify(empty)))).toEqual(empty);
    expect(empty.variety!.systems[0]!.distinct[0]!.value).toEqual({ value: null, low: null, high: null });
    expect(() => makeReport({ seed: 1, systems: [system("a", [{ ...passages(1, 1)[0]!, nats: NaN }])] })).toThrow(expect.objectContaining({ code: "data/scores" }) as Error);
  });
});

it("the jackknife gives the standard error of a mean", () => {
  const values = Array.from({ length: 40 }, () => random.normal());
  const middle = values.reduce((a, b) => a + b) / 40;
  const error = Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / 39 / 40);
  const { value, low, high } = jackknifeEstimate(values, (sample) => sample.reduce((a, b) => a + b) / sample.length);
  expect([value, low, high].map((one) => one!.toFixed(9))).toEqual([middle, middle - 1.96 * error, middle + 1.96 * error].map((one) => one.toFixed(9)));
});
