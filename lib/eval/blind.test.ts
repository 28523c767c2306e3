import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { choose, currentCard, endBlind, judgements, openBlind, startBlind, undo, type BlindChoice, type BlindPair, type BlindState } from "./blind";
import { blindCsv, blindExport, blindJson, blindResult } from "./blind-result";

const random = new Random("blind-test");
const words = (count: number) => Array.from({ length: count }, () => ["so", "we", "went", "home", "then"][random.int(5)]!).join(" ");
/** The tuned one is longer and ends a sentence, the base one breaks off; a mark says which is which to the test alone. */
const PAIRS = Array.from({ length: 21 }, (_, i): BlindPair => ({ id: `p${i}`, prompt: `prompt ${i}`, base: `B${i} ${words(20 + random.int(30))}`, tuned: `T${i} ${words(60 + random.int(30))}.` }));

/** Judges every card by a rule. */
const judgeAll = (state: BlindState, rule: (card: { left: string; right: string }, at: number) => BlindChoice): BlindState => {
  let at = state;
  for (let card = currentCard(at); card !== null; card = currentCard(at)) at = choose(at, rule(card, at.choices.length));
  return at;
};
const likesTuned = ({ left }: { left: string }): BlindChoice => (left.startsWith("T") ? "left" : "right");

describe("what the page sees before the end", () => {
  const state = startBlind(PAIRS, 7);

  it("has no label, and no key but those of the state", () => {
    const plain = JSON.stringify({ ...state, cards: state.cards.map((card) => Object.keys(card)) });
    expect(plain).not.toMatch(/base|tuned/i);
    expect(Object.keys(state).sort()).toEqual(["cards", "choices", "ended", "leftOut", "pairIds", "seed", "version"]);
    expect(new Set(state.cards.map((card) => Object.keys(card).join()))).toEqual(new Set(["prompt,left,right"]));
  });

  it("is the same whichever of the texts is which, but for the sides", () => {
    const swapped = startBlind(PAIRS.map(({ base, tuned, ...pair }) => ({ ...pair, base: tuned, tuned: base })), 7);
    expect({ ...swapped, cards: [] }).toEqual({ ...state, cards: [] });
    expect(swapped.cards.map(({ left, right, ...card }) => ({ ...card, left: right, right: left }))).toEqual(state.cards);
  });

  it("shows texts of one length and with one ending", () => {
    for (const { left, right } of state.cards) {
      expect(left.split(" ")).toHaveLength(right.split(" ").length);
      expect([left, right].map((text) => /\p{L} …$/u.test(text))).toEqual([true, true]);
    }
  });

  it("shows the pairs in another order, the tuned text on either side equally often, not in turn", () => {
    const order = state.cards.map(({ prompt }) => Number(prompt.slice(7)));
    expect([...order].sort((a, b) => a - b)).toEqual(PAIRS.map((_, i) => i));
    expect(order).not.toEqual(PAIRS.map((_, i) => i));
    const sides = state.cards.map(({ left }) => left.startsWith("T"));
    expect([10, 11]).toContain(sides.filter(Boolean).length);
    const changes = sides.filter((side, i) => i > 0 && side !== sides[i - 1]).length;
    expect(changes).toBeGreaterThan(4);
    expect(changes).toBeLessThan(16);
  });

  it("has sides that follow neither from the place of a pair nor from that of a card", () => {
    const [byCard, byPair] = [new Array<number>(6).fill(0), new Array<number>(6).fill(0)];
    for (let seed = 0; seed < 600; seed++) {
      startBlind(PAIRS.slice(0, 6), seed).cards.forEach(({ prompt, left }, i) => {
        if (!left.startsWith("T")) return;
        byCard[i]!++;
        byPair[Number(prompt.slice(7))]!++;
      });
    }
    for (const count of [...byCard, ...byPair]) expect(Math.abs(count - 300)).toBeLessThan(50); // 4 deviations of 12
  });

  it("cannot be uncovered", () => {
    expect(() => judgements(choose(state, "left"))).toThrow(expect.objectContaining({ code: "app/invariant" }) as Error);
    expect(() => blindResult(choose(state, "left"))).toThrow(expect.objectContaining({ code: "app/invariant" }) as Error);
  });
});

describe("judging", () => {
  const state = startBlind(PAIRS, "a seed");

  it("goes on from what was kept, and takes choices back", () => {
    const two = choose(choose(state, "left"), "cannot tell");
    const opened = openBlind(JSON.parse(JSON.stringify(two)));
    expect(opened).toEqual(two);
    expect(currentCard(opened)).toEqual(state.cards[2]);
    expect(undo(undo(opened))).toEqual(state);
    expect(undo(state)).toEqual(state);
  });

  it("ends: nothing can be chosen or taken back any more", () => {
    const ended = endBlind(choose(state, "right"));
    expect(currentCard(ended)).toBeNull();
    expect(undo(ended)).toEqual(ended);
    expect(() => choose(ended, "left")).toThrow();
    expect(() => choose(judgeAll(state, () => "left"), "left")).toThrow();
  });

  it("refuses what is not a state, and pairs that say nothing", () => {
    expect(() => openBlind({ ...state, pairIds: [] })).toThrow(expect.objectContaining({ code: "data/damaged-judging" }) as Error);
    const empty: BlindPair[] = [{ id: "a", prompt: "", base: "…", tuned: "word" }, { id: "b", prompt: "", base: "the same", tuned: "the same again" }];
    expect(() => startBlind(empty, 1)).toThrow(expect.objectContaining({ code: "data/nothing-to-judge" }) as Error);
    expect(startBlind([...empty, PAIRS[0]!], 1)).toMatchObject({ leftOut: 2, pairIds: ["p0"] });
  });
});

describe("the result", () => {
  const started = startBlind(PAIRS, 3);

  it("finds who was preferred, whichever side they were on", () => {
    const ended = endBlind(judgeAll(started, likesTuned));
    expect(blindResult(ended)).toMatchObject({ judged: 21, left: 0, tuned: 21, base: 0, ties: 0, winRate: 1, high: 1, chance: "no", moreToSettle: 0 });
    for (const { pairId, prompt, preferred } of judgements(ended)) {
      expect(prompt).toBe(`prompt ${pairId.slice(1)}`);
      expect(preferred).toBe("tuned");
    }
    expect(blindResult(endBlind(judgeAll(started, (card) => (likesTuned(card) === "left" ? "right" : "left"))))).toMatchObject({ tuned: 0, base: 21, winRate: 0, low: 0 });
  });

  it("counts ties half, and gains nothing from a hand that always goes left", () => {
    const even = startBlind(PAIRS.slice(0, 20), 3);
    expect(blindResult(endBlind(judgeAll(even, () => "left")))).toMatchObject({ tuned: 10, base: 10, winRate: 0.5, chance: "could be", moreToSettle: null, words: { more: "Neither is ahead." } });
    expect(blindResult(endBlind(judgeAll(even, () => "cannot tell")))).toMatchObject({ tuned: 0, base: 0, ties: 20, winRate: 0.5, chance: "could be" });
  });

  it("says what chance has to do with it, and how many more it takes", () => {
    const even = startBlind(PAIRS.slice(0, 20), 5);
    const wins = (count: number) => blindResult(endBlind(judgeAll(even, (card, at) => (likesTuned(card) === "left") === (at < count) ? "left" : "right")));
    expect(wins(14)).toMatchObject({ tuned: 14, chance: "could be", words: { chance: "This could be chance." } });
    expect(wins(15)).toMatchObject({ chance: "hardly", moreToSettle: 0, words: { more: "" } });
    expect(wins(17).chance).toBe("no");
    const { moreToSettle, words: { more, result } } = wins(14);
    expect(moreToSettle).toBeGreaterThan(0);
    expect(moreToSettle).toBeLessThan(20);
    expect(more).toContain(`about ${moreToSettle} more`);
    expect(result).toBe("You preferred the taught model's text in 14 of 20 (70 %, with room from 48 % to 85 %).");
    expect(wins(12).moreToSettle).toBeGreaterThan(moreToSettle!);
  });

  it("refuses to be drawn from nothing", () => {
    expect(() => blindResult(endBlind(started))).toThrow(expect.objectContaining({ code: "data/nothing-judged" }) as Error);
  });
});

describe("export", () => {
  const pairs = [{ ...PAIRS[0]!, prompt: "=HYPERLINK(\"x\"), \"quoted\"\nand more" }, ...PAIRS.slice(1, 4)];
  const ended = endBlind(judgeAll(startBlind(pairs, 3), likesTuned));

  it("has no texts unless they are asked for", async () => {
    for (const text of [blindJson(ended), await blindCsv(ended)]) {
      expect(text).toContain("p3");
      expect(text).not.toMatch(/HYPERLINK|prompt|B0|T1|went/);
    }
    for (const text of [blindJson(ended, { texts: true }), await blindCsv(ended, { texts: true })]) expect(text).toMatch(/HYPERLINK[^]*went|went[^]*HYPERLINK/);
  });

  it("is JSON of the result and every judgement", () => {
    expect(JSON.parse(blindJson(ended))).toEqual(blindExport(ended));
    expect(blindExport(ended)).toMatchObject({ seed: "3", result: { tuned: 4 }, judgements: [{ card: 1 }, { card: 2 }, { card: 3 }, { card: 4, preferred: "tuned" }] });
  });

  it("is CSV in which nothing is a formula", async () => {
    const lines = (await blindCsv(ended)).split("\r\n");
    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe("card,pairId,left,choice,preferred");
    expect(lines[1]).toMatch(/^1,p\d,(base|tuned),(left|right),tuned$/);
    const withTexts = await blindCsv(ended, { texts: true });
    expect(withTexts).toContain("\"'=HYPERLINK(\"\"x\"\"), \"\"quoted\"\"\nand more\"");
  });
});
