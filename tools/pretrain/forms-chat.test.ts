import { describe, expect, it } from "vitest";
import { Random } from "../../lib/core/random";
import { chatExample, parseLines } from "./forms-chat";
import { readRecipe } from "./recipe";
import { MINIATURE, miniatureDocuments } from "./testing/miniature";

const whole = (text: string) => ({ text, fromBeginning: true, toEnd: true });
const chat = miniatureDocuments().find(({ kind }) => kind === "chat")?.text ?? "";
const { forms } = readRecipe(MINIATURE);
const plain = { ...forms, habits: { lowerCase: 0, noPunctuation: 0, noApostrophes: 0, typos: 0, short: 0, emoji: 0, verse: 0 } };
const linesOf = (author: string) => parseLines(whole(chat)).filter((line) => line.author === author).map(({ text }) => text);

describe("lines of a chat", () => {
  it("say who wrote and to whom, whose name is taken off", () => {
    expect(parseLines(whole("Ida: Tom: are you there?\nTom: yes: here\nTom: ida, wait\nTom: Tom: me\nIda: Ben: no\nno name")).map(({ author, text, to }) => [author, to, text])).toEqual([
      ["Ida", "Tom", "are you there?"], ["Tom", null, "yes: here"], ["Tom", "Ida", "wait"], ["Tom", null, "me"], ["Ida", null, "Ben: no"],
    ]);
  });

  it("are whole: what may be cut off at either end is left out", () => {
    const text = "da: one\nTom: two\nIda: thr";
    expect(parseLines({ text, fromBeginning: false, toEnd: false }).map((line) => line.text)).toEqual(["two"]);
    expect(parseLines(whole(text)).length).toBe(3);
  });
});

describe("a reply", () => {
  const make = (groupShare: number) => Array.from({ length: 300 }, (_, seed) => chatExample(whole(chat), { ...plain, groupShare }, new Random(seed))).filter((example) => example !== null);
  /** Whose lines these are; all are different. */
  const authors = (contents: string[]) => new Set(contents.flatMap((text) => text.split("\n")).map((line) => ["Ida", "Tom", "Ben"].find((author) => linesOf(author).includes(line))));

  it("is one person's, and now and then everybody's", () => {
    const examples = make(1);
    expect(examples.length).toBeGreaterThan(200);
    for (const { messages } of examples) {
      const mine = authors(messages.filter(({ role }) => role === "assistant").map(({ content }) => content));
      const others = authors(messages.filter(({ role }) => role === "user").map(({ content }) => content));
      expect(mine.size).toBe(1);
      expect(others.has([...mine][0])).toBe(false);
      expect(others).not.toContain(undefined);
    }
    expect(examples.some(({ messages }) => authors(messages.filter(({ role }) => role === "user").map(({ content }) => content)).size === 2)).toBe(true);
    expect(new Set(examples.flatMap(({ messages }) => [...authors([messages.at(-1)?.content ?? ""])])).size).toBe(3);
  });

  it("is between two where the recipe says so, without what they wrote to a third", () => {
    const examples = make(0);
    expect(examples.length).toBeGreaterThan(200);
    for (const { messages } of examples) {
      const two = authors(messages.map(({ content }) => content));
      expect(two.size).toBe(2);
      const shown = new Set(messages.flatMap(({ content }) => content.split("\n")));
      for (const { text, to } of parseLines(whole(chat)).filter((line) => shown.has(line.text))) expect(to === null || two.has(to), text).toBe(true);
    }
  });

  it("comes from people alone", () => {
    expect(Array.from({ length: 50 }, (_, seed) => chatExample(whole("ubotu: hello\nubottu: ubotu: hello\nubotu: ubottu: again\nubottu: yes"), plain, new Random(seed))).every((example) => example === null)).toBe(true);
  });
});
