import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_KEY_WORDS, toMessages } from "../../lib/data/forms";
import { Corpus, readDocuments, readTokens } from "./corpus";
import { END_OF_TEXT, formExample, type FormCounts, makeForms } from "./forms";
import type { FormExample } from "./forms-prose";
import { readRecipe } from "./recipe";
import { MINIATURE, miniatureDocuments, miniatureTokenizer, writePrepared } from "./testing/miniature";

const work = mkdtempSync(join(tmpdir(), "ductus-forms-"));
const recipe = readRecipe(MINIATURE);
const tokenizer = miniatureTokenizer(recipe);
writePrepared(work, recipe);
afterAll(() => rmSync(work, { recursive: true }));
const corpus = Corpus.read(work, "train", tokenizer);
const never = (): Promise<void> => Promise.resolve();

const COUNT = 800;
const examples = Array.from({ length: COUNT }, (_, n) => formExample(corpus, recipe, "train", n)).filter((example) => example !== null);
const of = (form: FormExample["form"]) => examples.filter((example) => example.form === form);
const content = (example: FormExample, at: number) => example.messages[at]?.content ?? "";
/** Letters and digits alone, so that habits but for typos leave it as it is. */
const letters = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

describe("examples in the three forms", () => {
  it("can be made from most places", () => {
    expect(examples.length).toBeGreaterThan(0.6 * COUNT);
    for (const form of ["continue", "keywords", "reply"] as const) expect(of(form).length).toBeGreaterThan(50);
  });

  it("name key words that are in what is to be written, one to eight of them, in any order", () => {
    let outOfOrder = 0;
    const counts = new Set<number>();
    for (const example of of("keywords")) {
      const words = content(example, 0).replace("Write with these words: ", "").split(", ");
      counts.add(words.length);
      const text = content(example, 1).toLowerCase().replace(/’/g, "'");
      const places = words.map((word) => text.search(new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, "u")));
      expect(places.every((place) => place >= 0), `${words.join()} in ${text}`).toBe(true);
      if (places.some((place, i) => i > 0 && place < (places[i - 1] as number))) outOfOrder++;
    }
    expect([...counts].sort((a, b) => a - b)).toEqual(Array.from({ length: MAX_KEY_WORDS }, (_, i) => i + 1));
    expect(outOfOrder).toBeGreaterThan(0.2 * of("keywords").length);
  });

  it("ask in the product's own words", () => {
    for (const example of of("keywords")) {
      const words = content(example, 0).replace("Write with these words: ", "").split(", ");
      expect(example.messages.slice(0, -1)).toEqual(toMessages({ form: "keywords", words }));
    }
    for (const example of of("continue")) {
      expect(example.messages.slice(0, -1)).toEqual(toMessages({ form: "continue", passage: content(example, 0).replace("Continue:\n\n", "") }));
    }
  });

  it("go on from the very place where the passage ends, also within a sentence", () => {
    const text = miniatureDocuments().map((document) => letters(document.text)).join("|");
    let within = 0;
    for (const example of of("continue").filter(({ habits }) => !habits.has("typos"))) {
      const passage = content(example, 0).replace("Continue:\n\n", "");
      expect(text).toContain(letters(passage) + letters(content(example, 1)));
      if (!habitsOfSigns(example) && /[\p{L},]$/u.test(passage)) within++;
    }
    expect(within).toBeGreaterThan(10);
  });

  it("are written alike, prompt and completion", () => {
    const small = of("continue").filter(({ habits }) => habits.has("lowerCase"));
    const verse = of("continue").filter((example) => example.habits.has("verse") && content(example, 0).split(/\s+/).length > 25);
    expect(small.length).toBeGreaterThan(5);
    expect(verse.length).toBeGreaterThan(1);
    for (const example of small) expect(content(example, 0).replace("Continue", "") + content(example, 1)).not.toMatch(/\p{Lu}/u);
    for (const example of verse) for (const at of [0, 1]) expect(content(example, at).split("\n").length).toBeGreaterThan(3);
  });

  it("answer in turns, beginning with others and ending with the one who answers", () => {
    for (const { messages } of of("reply")) {
      expect(messages.map(({ role }) => role)).toEqual(messages.map((_, i) => (i % 2 === 0 ? "user" : "assistant")));
      expect(messages.length % 2).toBe(0);
      expect(messages.every((message) => message.content.trim() !== "")).toBe(true);
    }
    expect(of("reply").some(({ messages }) => messages.some((message) => message.content.includes("\n")))).toBe(true);
  });

  it("keep the shares of the recipe", () => {
    const kinds = Object.values(recipe.forms.kinds).reduce((a, b) => a + b, 0) - recipe.forms.kinds.web;
    const within = (value: number, expected: number) => expect(Math.abs(value - expected)).toBeLessThan(0.08);
    const drawn = Array.from({ length: 2000 }, (_, n) => formExample(corpus, { ...recipe, forms: { ...recipe.forms, anywhereShare: 0 } }, "train", n)).filter((example) => example !== null);
    for (const kind of ["chat", "dialogue"] as const) within(drawn.filter((example) => example.kind === kind).length / drawn.length, recipe.forms.kinds[kind] / kinds);
    const prose = drawn.filter(({ form }) => form !== "reply");
    within(prose.filter(({ form }) => form === "continue").length / prose.length, recipe.forms.continueShare);
    within(examples.filter(({ habits }) => habits.has("lowerCase")).length / examples.length, recipe.forms.habits.lowerCase);
  });
});

const habitsOfSigns = ({ habits }: FormExample) => habits.has("noPunctuation") || habits.has("short") || habits.has("emoji") || habits.has("verse");

describe("the file of the forms", () => {
  let tokens: Uint16Array, counts: FormCounts;
  beforeAll(async () => {
    ({ tokens, counts } = await makeForms(corpus, tokenizer, recipe, "train", 20_000, never));
  });

  /** Its examples, by where they begin. */
  function read(): { at: number; ids: number[] }[] {
    const found: { at: number; ids: number[] }[] = [];
    let ids: number[] = [];
    tokens.forEach((token, i) => {
      if (token === END_OF_TEXT && ids.length === 0) return; // filling
      ids.push(token);
      if (token !== END_OF_TEXT) return;
      found.push({ at: i + 1 - ids.length, ids });
      ids = [];
    });
    expect(ids).toEqual([]);
    return found;
  }

  it("holds every example, whole, in the model's chat template", () => {
    const expected = new Set<string>();
    for (let n = 0; expected.size < counts.examples && n < 5000; n++) {
      const example = formExample(corpus, recipe, "train", n);
      if (example) expected.add([...tokenizer.encodeChat(example.messages, false), END_OF_TEXT].join());
    }
    const found = read();
    expect(found.length).toBe(counts.examples);
    for (const { ids } of found) expect(expected).toContain(ids.join());
    expect(counts.tokens).toBe(found.reduce((sum, { ids }) => sum + ids.length, 0));
    expect(counts.tokens + counts.filling).toBe(tokens.length);
  });

  it("begins them in the row that they fit into", () => {
    const T = recipe.sequenceLength;
    for (const { at, ids } of read()) {
      const inRow = at % T;
      expect(inRow === 0 || inRow + ids.length <= T, `at ${at}, ${ids.length} long`).toBe(true);
    }
    expect(tokens.length % T).toBe(0);
  });

  it("is the same each time, and another with another seed", async () => {
    const again = await makeForms(corpus, tokenizer, recipe, "train", 20_000, never);
    expect(again.tokens).toEqual(tokens);
    const other = await makeForms(corpus, tokenizer, { ...recipe, seed: 1 }, "train", 20_000, never);
    expect(other.tokens).not.toEqual(tokens);
  });
});

describe("the corpus", () => {
  it("gives stretches of one document each, from everywhere", () => {
    const documents = readDocuments(work, "train");
    const texts = miniatureDocuments().filter(({ kind }) => kind === "book").map(({ text }) => text);
    const random = new (class { n = 0; uniform = () => (this.n++ % 100) / 100; })();
    const drawn = Array.from({ length: 100 }, () => corpus.draw("book", 40, random as never));
    for (const { text } of drawn) expect(texts.some((whole) => whole.includes(text))).toBe(true);
    const books = documents.filter(({ kind }) => kind === "book").length;
    expect(new Set(drawn.map(({ text }) => texts.findIndex((whole) => whole.includes(text)))).size).toBe(books);
    expect(drawn.some(({ fromBeginning }) => fromBeginning)).toBe(true);
    expect(drawn.some(({ toEnd }) => toEnd)).toBe(true);
    expect(drawn.every(({ fromBeginning, toEnd }) => fromBeginning && toEnd)).toBe(false);
  });

  it("is refused where list and tokens do not fit", () => {
    expect(() => new Corpus(readTokens(join(work, "train.bin")), readDocuments(work, "held"), tokenizer)).toThrow("does not fit");
  });
});
