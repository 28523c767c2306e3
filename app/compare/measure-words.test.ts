import { describe, expect, it } from "vitest";
import { makeReport } from "../../lib/eval/report";
import { headline, heldOutMeasures, restsOn, varietyMeasures } from "./measure-words";

const whose = { baseId: "base", adapterId: "a", nameOf: (id: string) => `named ${id}` };
const system = (id: string, hard: number, passages = 8, tokenizer = "t") => ({
  id, name: id, tokenizer, passages: Array.from({ length: passages }, (_, i) => ({ id: `p${i}`, documentId: `d${i}`, tokens: 10, nats: 10 * hard + (i % 3), bytes: 40 })),
});
const held = (...systems: ReturnType<typeof system>[]): { said: string; measures: ReturnType<typeof heldOutMeasures> } => {
  const report = makeReport({ seed: 1, systems });
  return { said: headline(report, whose), measures: heldOutMeasures(report, whose) };
};

describe("held-out measures in words", () => {
  it("have a line for each, and say what it means", () => {
    const { said, measures: [perplexity, loss, bits] } = held(system("base", 4), system("a", 3), system("b", 2));
    expect(said).toMatch(/^Taught, it is less surprised by your writing: perplexity \d+ → \d+\.$/);
    expect(perplexity!.lines.map(({ who, name }) => [who, name])).toEqual([["base", "Before"], ["tuned", "After"], ["other", "named b"]]);
    expect(perplexity!.sentence).toBe("63.2 % less than before, between 63.2 % and 63.2 % less.");
    expect(loss!.sentence).toBe("1.000 less than before, between 1.000 and 1.000 less.");
    expect(bits!.sentence).toMatch(/^It needs 2\d\.\d % less room for your text than before\.$/);
  });

  it.each([
    ["a worse one", held(system("base", 3), system("a", 4)), /^Taught, it is more surprised/, /^1\.000 more than before, between 1\.000 and 1\.000 more\.$/, /more room/],
    ["the same", held(system("base", 3), system("a", 3)), /^There is no difference at all\.$/, /^The same as before\.$/, /^It needs as much room/],
    ["few", held(system("base", 4, 3), system("a", 3, 3)), /^There is too little held-out writing to tell\.$/, /may be chance\.$/, /less room/],
  ])("%s", (_, { said, measures: [perplexity, loss, bits] }, verdict, difference, room) => {
    expect(said).toMatch(verdict);
    expect(perplexity!.sentence).toMatch(/^The same as before\.$|% (less|more) than before/);
    expect(loss!.sentence).toMatch(difference);
    expect(bits!.sentence).toMatch(room);
  });

  it("say how wide it is where there may be no difference", () => {
    const unsteady = system("a", 4);
    unsteady.passages.forEach((passage, i) => { passage.nats += i % 2 === 0 ? 2 : -2; });
    const { said, measures: [perplexity, loss] } = held(system("base", 4), unsteady);
    expect(said).toMatch(/^There is no clear difference: perplexity \d/);
    expect(loss!.sentence).toMatch(/^About the same as before, anywhere from 0\.\d+ less to 0\.\d+ more\.$/);
    expect(perplexity!.sentence).toMatch(/^About the same as before, anywhere from \d+\.\d % less to \d+\.\d % more\.$/);
  });

  it("say how little is said by little", () => {
    const report = makeReport({ seed: 1, systems: [system("base", 4, 3), system("a", 3, 3)] });
    expect(restsOn(report, "a")).toEqual(["3 passages of 3 pieces: too few for intervals. Little can be said from so little; more writing says more."]);
  });
});

describe("variety in words", () => {
  const sentence = (seed: number): string => Array.from({ length: 30 }, (_, i) => `w${(i * 7 + seed * 31) % 211}`).join(" ");
  const own = Array.from({ length: 10 }, (_, i) => sentence(i));
  const dull = own.map(() => "the cat and the dog and the cat and the dog and the cat and the dog");
  const report = makeReport({ seed: 1, systems: [], written: { own, systems: [{ id: "base", name: "base", texts: own }, { id: "a", name: "a", texts: dull }], training: [dull[0]!] } });
  const measures = new Map(varietyMeasures(report, whose).map((measure) => [measure.id, measure]));

  it("sets both beside the writer", () => {
    expect(measures.get("distinct-2")!.lines.map(({ name }) => name)).toEqual(["You", "Before", "After"]);
    expect(measures.get("distinct-2")!.sentence).toBe("Before: no clear difference from you. After: less varied than you.");
    expect(measures.get("repeated")!.sentence).toMatch(/After: more often than you\.$/);
    expect(measures.get("alike")!.sentence).toMatch(/After: more alike than yours\.$/);
    expect(measures.get("copied")!.sentence).toBe("At most 17 words in a row after the teaching, and 0 words in what you wrote yourself there. It recites some of what it has read.");
  });

  it("says when there are too few texts", () => {
    const few = makeReport({ seed: 1, systems: [], written: { own: own.slice(0, 2), systems: [{ id: "base", name: "", texts: own.slice(0, 2) }, { id: "a", name: "", texts: dull.slice(0, 2) }], training: [] } });
    const said = varietyMeasures(few, whose);
    expect(said[0]!.sentence).toBe("Before and after: too few texts to tell.");
    expect(said.some(({ id }) => id === "copied")).toBe(false);
  });
});
