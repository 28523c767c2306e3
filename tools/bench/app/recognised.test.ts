import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Random } from "../../../lib/core/random";
import { keyOf, readKept, writeWhole, type AuthorRun } from "./author-run";
import { promptsOf, type Sample } from "./author-samples";
import { readAuthors } from "./authors";
import { Outlook } from "./outlook";
import { authorLine, fitOn, recognisedLine } from "./recognised";

const random = new Random("recognised-test");
const FOLDER = mkdtempSync(join(tmpdir(), "ductus-authors-"));
/** Each has words of their own, and each paragraph a number that is found again. */
const WORDS = { ada: ["garden", "slowly", "window"], ben: ["engine", "thunder", "copper"], cyd: ["quietly", "harbour", "letter"] };
type Name = keyof typeof WORDS;
const sentence = (author: Name) => `The ${Array.from({ length: 12 }, () => WORDS[author][random.int(3)]!).join(" and ")} stood there.`;
const book = (author: Name, title: string, paragraphs: number) => Array.from({ length: paragraphs }, (_, i) => `${title} ${i}. ${Array.from({ length: 3 }, () => sentence(author)).join(" ")}`).join("\n\n");
for (const [author, title, paragraphs] of [["ada", "1900-first", 40], ["ada", "1910-second", 40], ["ada", "1920-third", 100], ["ben", "1850-only", 500], ["cyd", "a", 30], ["cyd", "b", 100]] as const) {
  mkdirSync(join(FOLDER, author), { recursive: true });
  writeFileSync(join(FOLDER, author, `${title}.txt`), book(author, title, paragraphs));
}
mkdirSync(join(FOLDER, "nobody"));

describe("readAuthors", () => {
  const authors = readAuthors(FOLDER);
  const [ada, ben] = authors;
  const numbers = (text: string, title: string) => [...text.matchAll(new RegExp(`${title} (\\d+)\\.`, "g"))].map(([, number]) => Number(number));

  it("keeps the last book by file name from training", () => {
    expect(authors.map(({ name }) => name)).toEqual(["ada", "ben", "cyd"]);
    const learned = ada!.documents.map(({ text }) => text).join("\n");
    expect(numbers(learned, "1900-first")).toHaveLength(40);
    expect(numbers(learned, "1910-second")).toHaveLength(40);
    expect(learned).not.toContain("1920-third");
    expect(numbers(ada!.testText, "1920-third")).toHaveLength(100);
  });

  it("has the classifier's stretch before that of the prompts, and nothing in both", () => {
    const [classifier, prompts] = [numbers(ada!.classifierText, "1920-third"), numbers(ada!.promptText, "1920-third")];
    expect([...classifier, ...prompts]).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(classifier.length).toBeGreaterThan(70);
  });

  it("tests an author with one book on its last block, which is in no other", () => {
    expect(ben!.documents).toHaveLength(1); // the trainer cuts it in the same way
    const [classifier, tested] = [numbers(ben!.classifierText, "1850-only"), numbers(ben!.testText, "1850-only")];
    expect(ben!.promptText).toBe(ben!.testText);
    expect(tested.at(-1)).toBe(499);
    expect(tested.length).toBeGreaterThan(40);
    expect(Math.max(...classifier)).toBeLessThan(tested[0]!);
    expect(Math.min(...classifier)).toBeGreaterThan(380);
  });

  it("refuses a name that is not there, and a folder without authors", () => {
    expect(() => readAuthors(FOLDER, ["zoe"])).toThrow(RangeError);
    expect(() => readAuthors(join(FOLDER, "nobody"))).toThrow(RangeError);
  });
});

describe("promptsOf", () => {
  const ada = readAuthors(FOLDER)[0]!;

  it("gives the same prompts again, half of either form, from what the classifier has not seen", () => {
    const prompts = promptsOf(ada, 10);
    expect(promptsOf(ada, 10)).toEqual(prompts);
    expect(prompts.map(({ prompt }) => prompt.form)).toEqual(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? "continue" : "keywords")));
    expect(new Set(prompts.map(({ seed }) => seed)).size).toBe(10);
    for (const { human, prompt } of prompts) {
      expect(ada.promptText).toContain(human);
      expect(ada.classifierText).not.toContain(human);
      if (prompt.form === "continue") expect(ada.promptText.indexOf(human)).toBeGreaterThan(ada.promptText.indexOf(prompt.passage));
      else for (const word of prompt.words) expect(human.toLowerCase()).toContain(word);
    }
  });

  it("says so where there is too little", () => {
    expect(() => promptsOf(ada, 1000)).toThrow(RangeError);
  });
});

describe("app.recognised", () => {
  const authors = readAuthors(FOLDER);
  const classifier = fitOn(authors);
  /** Tuned samples of an author's own words, base samples of ada's throughout. */
  const written = authors.map(({ name }) => ({
    name,
    samples: Array.from({ length: 20 }, (_, i): Sample => ({ seed: String(i), prompt: { form: "keywords", words: [] }, tuned: i === 0 ? "" : sentence(name as Name), base: sentence("ada"), human: sentence(name as Name) })),
  }));
  const line = recognisedLine(classifier, written, 0);

  it("counts what is given to the right author; a text without words is nobody's", () => {
    expect(line).toMatchObject({ value: 0.95, baseline: 0.3333, n: 60, base: { share: 0.3333, n: 60 }, ceiling: { share: 1, high: 1 }, gain: { value: 0.6167 } });
    expect(line.low).toBeLessThan(0.95);
    expect(line["authors"]).toMatchObject([{ author: "ada", tuned: { share: 0.95 }, base: { share: 1 } }, { author: "ben", base: { share: 0 } }, { author: "cyd", base: { share: 0 } }]);
  });

  it("is in no doubt about a model that learned nothing", () => {
    const same = written.map(({ name, samples }) => ({ name, samples: samples.map((sample) => ({ ...sample, tuned: sample.base })) }));
    expect(recognisedLine(classifier, same, 5)).toMatchObject({ ratio: 1, gain: { value: 0, low: 0, high: 0 }, note: expect.stringContaining("cut after 5 steps") as string });
  });
});

it("app.authors gives the fall of the loss with the interval of its difference", () => {
  const passages = Array.from({ length: 50 }, (_, i) => ({ id: String(i), documentId: "book", tokens: 50, nats: 50 * (4 + random.normal()), bytes: 200 }));
  const run: AuthorRun = { key: "k", config: {} as AuthorRun["config"], adapter: new Map(), steps: 3, trainTokens: 4, words: 5, base: passages, tuned: passages.map((one) => ({ ...one, nats: 0.9 * one.nats })) };
  const line = authorLine(readAuthors(FOLDER)[0]!, run);
  expect(line).toMatchObject({ name: "app.authors", author: "ada", value: 0.1, n: 50, testTokens: 2500, steps: 3 });
  expect(line.low).toBeGreaterThan(0.08);
  expect(line.high).toBeLessThan(0.12);
  const [base, tuned] = line["loss"] as [number, number];
  expect(tuned / base).toBeCloseTo(0.9, 3);
});

it("what is kept is read again under the same key alone", async () => {
  const path = join(FOLDER, "kept", "a.json");
  const key = await keyOf([1, "x"]);
  expect(readKept(path, key)).toBeNull();
  writeWhole(path, JSON.stringify({ key, value: 7 }));
  expect(readKept(path, key)).toEqual({ key, value: 7 });
  expect(readKept(path, await keyOf([2, "x"]))).toBeNull();
});

it("the outlook follows from the words trained on and the time they took", () => {
  const told: string[] = [];
  let now = 0;
  const outlook = new Outlook([1000, 3000], (text) => told.push(text), () => now);
  for (let done = 1; done <= 10; done++) {
    now += done <= 3 ? 500_000 : 60_000; // the first steps are slow, and do not count
    outlook.step(0, done, 10);
  }
  // A tenth of 1,000 words a minute: 3,000 words more, and 4,000 in all.
  expect(told.at(-1)).toBe("step 10 of 10; about 30 min of training left, 40 min for all 2 authors from the beginning");
});
