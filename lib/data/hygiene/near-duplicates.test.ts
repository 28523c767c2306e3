import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { paragraph, prose } from "../testing/prose";
import { findNearDuplicates, NEAR_RESEMBLANCE, PASSAGE_WORDS } from "./near-duplicates";
import { agreement, fingerprints, inCommon, setOf, SHINGLE_WORDS, shinglesOf, signer } from "./shingles";

const LONG = process.env["DUCTUS_LONG"] === "1";

/** Jaccard and containment by the definition, on strings. */
function bruteForce(a: string, b: string): { resemblance: number; contained: number; contains: number } {
  const set = (text: string): Set<string> => {
    const words = text.toLowerCase().match(/[a-z0-9']+/g) ?? [];
    return new Set(words.length < SHINGLE_WORDS ? [words.join(" ")] : words.slice(SHINGLE_WORDS - 1).map((_, i) => words.slice(i, i + SHINGLE_WORDS).join(" ")));
  };
  const x = set(a), y = set(b);
  const shared = [...x].filter((s) => y.has(s)).length;
  return { resemblance: shared / (x.size + y.size - shared), contained: shared / x.size, contains: shared / y.size };
}

/** A later draft: some words replaced. */
function draft(text: string, share: number, random: Random): string {
  return text.split(" ").map((word) => (random.uniform() < share ? `new${random.int(1e6)}` : word)).join(" ");
}

describe("shingles", () => {
  const random = new Random("shingles");
  const pairs = Array.from({ length: 60 }, (_, i) => {
    const a = prose(i, 2 + random.int(20));
    return [a, random.pick([() => draft(a, random.uniform() * 0.3, random), () => a.slice(0, a.length * random.uniform()), () => `${prose(-i, 5)}\n\n${a}`, () => prose(1000 + i, 5)])()] as const;
  });

  it("measure resemblance and containment as brute force does", () => {
    for (const [a, b] of [...pairs, ["one two", "One, two!"], ["one", "one two three four five"]] as const) {
      const x = setOf(shinglesOf(a).keys), y = setOf(shinglesOf(b).keys);
      const shared = inCommon(x, y), expected = bruteForce(a, b);
      expect(shared / (x.length + y.length - shared)).toBeCloseTo(expected.resemblance, 12);
      expect(shared / x.length).toBeCloseTo(expected.contained, 12);
    }
  });

  it("estimate resemblance without bias, within MinHash's own error", () => {
    const errors: number[] = [];
    for (const seed of [1, 2, 3, 4, 5]) {
      const sign = signer(seed);
      for (const [a, b] of pairs) {
        const r = bruteForce(a, b).resemblance;
        const estimate = agreement(sign(setOf(shinglesOf(a).keys)), sign(setOf(shinglesOf(b).keys)));
        if (r > 0.02 && r < 0.98) errors.push((estimate - r) / Math.sqrt((r * (1 - r)) / 128));
      }
    }
    expect(errors.length).toBeGreaterThan(150);
    const mean = errors.reduce((a, b) => a + b, 0) / errors.length;
    const deviation = Math.sqrt(errors.reduce((a, b) => a + b * b, 0) / errors.length);
    expect(Math.abs(mean)).toBeLessThan(0.25); // in standard errors
    expect(deviation).toBeGreaterThan(0.8);
    expect(deviation).toBeLessThan(1.2);
  });

  it("fingerprint any 16 words in common, and only a part of the rest", () => {
    const random = new Random("winnow");
    for (let round = 0; round < 200; round++) {
      const shared = Array.from({ length: 16 }, () => `w${random.int(1e6)}`).join(" ");
      const around = (): string => Array.from({ length: random.int(80) }, () => `x${random.int(1e6)}`).join(" ");
      const a = fingerprints(shinglesOf(`${around()} ${shared} ${around()}`).keys), b = fingerprints(shinglesOf(`${around()} ${shared} ${around()}`).keys);
      expect([...a].some((print) => b.has(print))).toBe(true);
    }
    const { keys } = shinglesOf(prose("density", 300));
    expect(fingerprints(keys).size / setOf(keys).length).toBeLessThan(0.2);
    expect(fingerprints(shinglesOf("word ".repeat(5000)).keys).size).toBe(1);
  });

  it("do not depend on case, apostrophes, punctuation or spaces, and take each character of Chinese for a word", () => {
    expect(shinglesOf("Don’t go — to İzmir, yet!").keys).toEqual(shinglesOf("don't go to\n\n“izmir” yet").keys);
    expect(shinglesOf("昨天我去了北京。").words).toBe(7);
    const { starts, ends } = shinglesOf("İn the END.", true);
    expect(starts.map((s, i) => "İn the END.".slice(s, ends[i]))).toEqual(["İn", "the", "END"]);
  });
});

describe("findNearDuplicates", () => {
  const others = Array.from({ length: 40 }, (_, i) => prose(`other${i}`, 6));

  it("finds what repeats, stands in, or quotes an earlier document, and nothing else", async () => {
    const random = new Random("find");
    const letter = prose("letter", 20), quoted = Array.from({ length: 45 }, () => `q${random.int(1e6)}`).join(" ");
    const texts = [
      ...others, // 0 … 39
      `${letter}\n\n${quoted}`, // 40
      draft(letter, 0.05, random), // 41: a draft
      others[3] as string, // 42: the same
      (others[5] as string).toUpperCase(), // 43: the same words
      (others[6] as string).split("\n\n").slice(1, 3).join("\n\n"), // 44: contained
      `${prose("frame", 20)}\n\n${others[7] as string}\n\n${prose("frame2", 20)}`, // 45: contains
      `${prose("reply", 20)} ${quoted} ${prose("reply2", 20)}`, // 46: quotes 40
      prose("alone", 10), // 47
    ];
    const { nearest, groups } = await findNearDuplicates(texts);
    expect(nearest.slice(0, 41).filter((n) => n !== null)).toEqual([]);
    expect(nearest.slice(41).map((n) => n && [n.kind, n.earlier])).toEqual([["near", 40], ["same", 3], ["same", 5], ["contained", 6], ["contains", 7], ["shares", 40], null]);
    expect(groups).toEqual([[3, 42], [5, 43], [6, 44], [7, 45], [40, 41, 46]]);
    for (const n of nearest) {
      if (n === null) continue;
      const expected = bruteForce(texts[n.document] as string, texts[n.earlier] as string);
      expect(n.resemblance).toBeCloseTo(expected.resemblance, 12);
      expect(n.contained).toBeCloseTo(expected.contained, 12);
      expect(n.contains).toBeCloseTo(expected.contains, 12);
      const passage = (texts[n.document] as string).slice(n.passage.start, n.passage.end);
      expect(passage.split(/\s+/)).toHaveLength(n.passage.words);
    }
    const { start, end } = nearest[46]?.passage as { start: number; end: number };
    expect((texts[46] as string).slice(start, end)).toContain(quoted);
  });

  it(`finds every pair that brute force finds, whatever the documents (${LONG ? 300 : 15} rounds)`, async () => {
    const random = new Random("recall");
    let pairs = 0, found = 0, lesser = 0, foundLesser = 0;
    for (let round = 0; round < (LONG ? 300 : 15); round++) {
      const texts: string[] = [];
      for (let i = 0; i < 24; i++) {
        const before = texts.length === 0 ? "" : random.pick(texts);
        texts.push(random.pick([() => prose(`${round}/${i}`, 1 + random.int(8)), () => draft(before, random.uniform() * 0.25, random), () => `${paragraph(random)}\n\n${before}`])());
      }
      const { nearest, groups } = await findNearDuplicates(texts, { seed: round });
      const groupOf = (i: number): number => groups.findIndex((g) => g.includes(i));
      for (let i = 0; i < texts.length; i++) {
        for (let j = 0; j < i; j++) {
          if (Math.min((texts[i] as string).split(/\s+/).length, (texts[j] as string).split(/\s+/).length) < 12) continue;
          const { resemblance } = bruteForce(texts[i] as string, texts[j] as string);
          const together = groupOf(i) >= 0 && groupOf(i) === groupOf(j);
          if (resemblance >= NEAR_RESEMBLANCE) {
            pairs++;
            if (together && nearest[i] !== null) found++;
          } else if (resemblance >= 0.3) {
            lesser++;
            if (together) foundLesser++;
          } else if (resemblance === 0) expect(nearest[i]?.earlier).not.toBe(j);
        }
      }
      for (const n of nearest) if (n?.kind === "near") expect(n.resemblance).toBeGreaterThanOrEqual(NEAR_RESEMBLANCE);
    }
    expect(pairs).toBeGreaterThan(50);
    expect(found).toBe(pairs);
    expect(lesser).toBeGreaterThan(20);
    expect(foundLesser / lesser).toBeGreaterThan(0.95);
  });

  it("does not join letters by a closing formula that stands in all of them, and would if it stood in two", async () => {
    const formula = Array.from({ length: PASSAGE_WORDS + 10 }, (_, i) => `formula${i}`).join(" ");
    const letters = others.map((text) => `${text}\n\n${formula}`);
    expect((await findNearDuplicates(letters)).groups).toEqual([]);
    expect((await findNearDuplicates([...others.slice(2), ...letters.slice(0, 2)])).groups).toEqual([[38, 39]]);
  });

  it("copes with nothing, short pieces and thousands of copies", async () => {
    expect(await findNearDuplicates([])).toEqual({ nearest: [], pairs: [], groups: [] });
    const { nearest, groups } = await findNearDuplicates(["", "…", "Thank you!", "thank you", "Thank you for the jam", ""]);
    expect(nearest.map((n) => n?.kind ?? null)).toEqual([null, null, null, "same", null, null]);
    expect(groups).toEqual([[2, 3]]);
    const random = new Random("copies");
    const text = prose("copied", 3);
    const copies = await findNearDuplicates(Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? text : draft(text, 0.05, random))));
    expect(copies.groups[0]?.length).toBeGreaterThan(960); // some drafts are further from all that were kept
  });

  it("finds short pieces of which a word was changed, where fingerprints do not suffice", async () => {
    const random = new Random("short");
    const texts: string[] = [];
    for (let i = 0; i < 300; i++) {
      const words = Array.from({ length: 20 }, () => `w${random.int(1e6)}`);
      texts.push(words.join(" "), words.map((word, k) => (k === 10 ? `changed${i}` : word)).join(" "));
    }
    expect(bruteForce(texts[0] as string, texts[1] as string).resemblance).toBeGreaterThan(NEAR_RESEMBLANCE);
    expect((await findNearDuplicates(texts)).groups).toHaveLength(300);
  });

  it("takes a formula in all of them for no passage, though two share a little besides", async () => {
    const rare = (name: string): string => Array.from({ length: 18 }, (_, i) => `${name}${i}`).join(" ");
    const formula = Array.from({ length: PASSAGE_WORDS + 20 }, (_, i) => `formula${i}`).join(" ");
    const letters = others.map((text, i) => `${text}\n\n${i < 2 ? `${rare("a")} and this too ${i} ${rare("b")}` : ""}\n\n${formula}`);
    expect((await findNearDuplicates(letters)).groups).toEqual([]);
  });

  it("is the same again, and can be left", async () => {
    const texts = [...others, ...others.slice(0, 5)];
    expect(await findNearDuplicates(texts, { seed: 4 })).toEqual(await findNearDuplicates(texts, { seed: 4 }));
    let breaths = 0;
    const breathe = (): Promise<void> => (++breaths > 50 ? Promise.reject(new Error("stopped")) : Promise.resolve());
    await expect(findNearDuplicates(texts, { breathe })).rejects.toThrow("stopped");
  });

  it("takes 10,000 documents and 20 MB", async () => {
    const size = LONG ? 10_000 : 1000;
    const random = new Random("large");
    const texts = Array.from({ length: size }, (_, i) => Array.from({ length: 330 }, () => `w${random.int(50_000)}`).join(" ") + ` ${i}`);
    texts[size - 1] = draft(texts[7] as string, 0.03, random);
    const { groups } = await findNearDuplicates(texts);
    expect(groups).toEqual([[7, size - 1]]);
    const book = prose("book", LONG ? 40_000 : 4000);
    expect((await findNearDuplicates([book, prose("b", 5), `${book}\n\nThe end.`])).groups).toEqual([[0, 2]]);
  });
});
