import { describe, expect, it } from "vitest";
import { LARGE_MODEL_DEFAULTS } from "../train/sft/config";
import { dataHash, type Example, makeExamples } from "./examples";
import { prose } from "./testing/prose";
import { partsOf, type SplitDocument, splitDocuments } from "./split";
import { verse } from "./testing/verse";
import { countWords } from "./words";
import { unwrap } from "./wrapping";

const pieces: SplitDocument[] = Array.from({ length: 40 }, (_, i) => ({ id: `d${i}`, text: prose(`p${i}`, 5) }));
const split = splitDocuments(pieces, 1);
const train = partsOf(split, "train");
const words = (examples: readonly Example[]): number => examples.reduce((sum, e) => sum + countWords(e.completion), 0);

describe("makeExamples", () => {
  it("makes every word of the part a completion once in a pass", () => {
    for (const pass of [0, 1, 2]) {
      const examples = makeExamples(train, { seed: 1, pass });
      expect(words(examples)).toBe(split.rule.words.train);
      expect(new Set(examples.map((e) => e.id)).size).toBe(examples.length);
      expect(examples.every((e) => e.words === countWords(e.completion) && e.words <= 120)).toBe(true);
      for (const part of train) {
        const own = examples.filter((e) => e.documentId === part.documentId).map((e) => e.completion);
        expect(own.join(" ").replace(/\s+/g, " ")).toBe(part.text.replace(/\s+/g, " ").trim());
      }
    }
  });

  it("continues only what directly precedes, in the same stretch, within the prompt's limit", () => {
    const book: SplitDocument = { id: "book", text: prose("book", 120) };
    for (const part of splitDocuments([book], 1).parts) {
      const examples = makeExamples([part], { seed: 3, maxPromptWords: 30 });
      const continued = examples.filter((e) => e.form === "continue");
      expect(continued.length).toBeGreaterThan(2);
      const flat = part.text.replace(/\s+/g, " ");
      for (const e of continued) {
        const passage = e.messages[0]?.content.replace("Continue:\n\n", "") as string;
        expect(countWords(passage)).toBeLessThanOrEqual(30);
        expect(flat).toContain(`${passage} ${e.completion}`.replace(/\s+/g, " "));
      }
    }
  });

  it("keeps the mix of the forms", () => {
    const book = splitDocuments([{ id: "book", text: prose("mix", 400) }], 1);
    for (const share of [0, 0.25, 0.5, 1]) {
      const examples = makeExamples(partsOf(book, "train"), { seed: 1, continueShare: share });
      expect(examples.filter((e) => e.form === "continue").length / examples.length).toBeCloseTo(share, 1);
    }
  });

  it("takes key words from the completion", () => {
    for (const e of makeExamples(train, { seed: 1 }).filter((x) => x.form === "keywords")) {
      const asked = (e.messages[0]?.content ?? "").replace("Write with these words: ", "").split(", ");
      for (const word of asked) expect(e.completion.toLowerCase()).toContain(word);
    }
  });

  it("is the same for the same seed and pass, and new in another pass", () => {
    const a = makeExamples(train, { seed: 1 });
    expect(makeExamples(train, { seed: 1, pass: 0 })).toEqual(a);
    const b = makeExamples(train, { seed: 1, pass: 1 });
    expect(b.map((e) => e.completion)).not.toEqual(a.map((e) => e.completion));
    expect(makeExamples(train, { seed: 2 }).map((e) => e.messages)).not.toEqual(a.map((e) => e.messages));
  });

  it("has both forms in small held-out parts", () => {
    for (const part of ["validation", "test"] as const) {
      const forms = new Set(makeExamples(partsOf(split, part), { seed: 1 }).map((e) => e.form));
      expect(forms).toEqual(new Set(["continue", "keywords"]));
    }
  });

  it("leaves out only a passage that no prompt can be made for", () => {
    const parts = splitDocuments([{ id: "a", text: "No." }, { id: "b", text: "Harbour." }], 1).parts;
    expect(makeExamples(parts, { seed: 1 }).map((e) => e.completion)).toEqual(["Harbour."]);
  });
});

describe("dataHash", () => {
  it("depends on texts, split and settings, not on ids or the order of keys", async () => {
    const hash = await dataHash(pieces, split, LARGE_MODEL_DEFAULTS);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    const renamed = pieces.map((d, i) => ({ ...d, id: `x${i}` }));
    const reordered = Object.fromEntries(Object.entries(LARGE_MODEL_DEFAULTS).reverse());
    expect(await dataHash(renamed, splitDocuments(renamed, 1), reordered)).toBe(hash);
    expect(await dataHash(pieces, splitDocuments(pieces, 2), LARGE_MODEL_DEFAULTS)).not.toBe(hash);
    expect(await dataHash(pieces, split, { ...LARGE_MODEL_DEFAULTS, seed: 2 })).not.toBe(hash);
    const changed = pieces.map((d, i) => (i === 3 ? { ...d, text: `${d.text.slice(0, -2)}x.` } : d));
    expect(await dataHash(changed, split, LARGE_MODEL_DEFAULTS)).not.toBe(hash);
  });
});

describe("verse", () => {
  it.each<[string, string]>([
    ["short lines", verse("a", { stanzas: 30, lines: 4, chars: [20, 40] })],
    ["one long stanza", verse("b", { stanzas: 1, lines: 120, chars: [30, 50] })],
    ["long lines", verse("c", { stanzas: 10, lines: 6, chars: [150, 300], capitals: true })],
    ["indents", verse("d", { stanzas: 30, lines: 5, chars: [15, 45], indent: "      " })],
    ["prose and verse", [prose("x", 6), verse("e", { stanzas: 6, lines: 4, chars: [20, 40], indent: "  " }), prose("y", 6)].join("\n\n")],
    ["a prose poem", Array.from({ length: 12 }, (_, i) => verse(`f${i}`, { stanzas: 1, lines: 1, chars: [200, 500] })).join("\n\n")],
  ])("keeps its lines in prompts and completions: %s", (_, text) => {
    const read = unwrap(text).text;
    expect(read).toBe(text);
    const lines = text.split("\n"), known = new Set(lines.map((line) => line.trim()));
    const isVerse = (line: string): boolean => line.length < 300;
    const examples = makeExamples(partsOf(splitDocuments([{ id: "p", text: read }], 1), "train"), { seed: 1, pass: 1 });
    expect(examples.length).toBeGreaterThan(3);
    let whole = 0;
    for (const { completion, messages } of examples) {
      for (const line of completion.split("\n")) {
        if (known.has(line.trim())) whole++;
        else expect(lines.some((l) => !isVerse(l) && l.includes(line.trim())), line).toBe(true); // a long paragraph, cut
      }
      if (completion.includes("\n")) for (const line of completion.split("\n")) if (known.has(line.trim())) expect(lines).toContain(line); // with its indent
      const [head, , ...shown] = (messages.at(-1)?.content ?? "").split("\n");
      if (head === "Continue:") for (const line of shown.slice(1)) expect(line === "" || known.has(line.trim()) || lines.some((l) => !isVerse(l) && l.includes(line.trim())), line).toBe(true);
    }
    expect(whole).toBeGreaterThan(3);
  });
});
