import { describe, expect, it } from "vitest";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import { parseJson } from "../bounded-json";
import { paragraph, prose } from "../testing/prose";
import { FileBudget, LIMITS } from "./budget";
import { readJson } from "./json";
import { editorText } from "./json-shapes";
import type { Reading } from "./types";

const read = (text: string): Promise<Reading> => readJson(new TextEncoder().encode(text), { name: "a.json", budget: new FileBudget("a.json", text.length, LIMITS), signal: new AbortController().signal });
const readValue = (value: unknown): Promise<Reading> => read(JSON.stringify(value));
async function refusal(reading: Promise<Reading>): Promise<DuctusError> {
  const error = await reading.then((found) => new Error(`read: ${JSON.stringify(found).slice(0, 300)}`), (reason: unknown) => reason);
  if (error instanceof DuctusError) return error;
  throw error;
}
const text = (seed: number | string): string => paragraph(new Random(seed), 6);
const [ONE, TWO, THREE] = [text(1), text(2), text(3)];
const found = ({ extracts }: Reading): [string | null, string][] => extracts.map(({ name, text: own }) => [name, own]);

describe("writing under usual keys", () => {
  it.each<[string, unknown, [string | null, string][]]>([
    ["one object", { text: ONE }, [[null, ONE]]],
    ["rows with titles, ids, dates and addresses", [1, 2, 3].map((i) => ({ id: `a-${i} b c`, title: `Walk ${i}`, created_at: "Tue Mar 5 10:00:00 2024", url: "https://example.org/a b", content: text(i) })), [["Walk 1", ONE], ["Walk 2", TWO], ["Walk 3", THREE]]],
    ["a key in other letters", [{ "Full_Text": ONE }, { "FULL-TEXT": TWO }], [[null, ONE], [null, TWO]]],
    ["notes with a trash", { activeNotes: [{ content: ONE }, { content: TWO }], trashedNotes: [{ content: THREE }] }, [[null, ONE], [null, TWO]]],
    ["a note of a phone's", { title: "Rain", textContent: ONE, isTrashed: false, labels: [{ name: "diary" }] }, [["Rain", ONE]]],
    ["a note that was thrown away beside others", [{ body: ONE }, { body: TWO, deleted: true }], [[null, ONE]]],
    ["notes in a shell", { items: [{ content_type: "Note", content: { title: "Rain", text: ONE } }, { content_type: "Note", content: { title: "Snow", text: TWO } }] }, [["Rain", ONE], ["Snow", TWO]]],
    ["a diary's entries", { metadata: { version: "1.0" }, entries: [{ creationDate: "2024-03-05T10:00:00Z", text: ONE, location: { placeName: "The Old Stone Bridge" } }] }, [[null, ONE]]],
    ["a poem by lines", [{ title: "River", author: "Ann", lines: ["Slow it goes by the mill,", "", "and nobody follows."] }], [["River", "Slow it goes by the mill,\n\nand nobody follows."]]],
    ["prompts and completions", [{ prompt: THREE, completion: ` ${ONE}` }, { prompt: "Go on:", completion: TWO }], [[null, ONE], [null, TWO]]],
    ["completions that are messages", [{ prompt: [{ role: "user", content: "Go on" }], completion: [{ role: "assistant", content: ONE }] }], [[null, ONE]]],
    ["instructions", [{ instruction: "Write of rain", input: "", output: ONE }], [[null, ONE]]],
    ["a list of strings", [ONE, TWO], [[null, ONE], [null, TWO]]],
    ["a diary by date", { "2024-03-05": ONE, "2024-03-06": TWO, "2024-03-07": THREE }, [["2024-03-05", ONE], ["2024-03-06", TWO], ["2024-03-07", THREE]]],
    ["no usual key", { data: { parts: [{ n: 1, prosa: ONE, kind: "a b" }, { n: 2, prosa: TWO, kind: "a b" }] } }, [[null, ONE], [null, TWO]]],
    ["a label that is called text", { rows: [{ text: "Chapter one", prosa: ONE }, { text: "Chapter two", prosa: TWO }] }, [[null, ONE], [null, TWO]]],
    ["an editor's document", { title: "Rain", document: { type: "doc", content: [{ type: "heading", content: [{ type: "text", text: "Rain" }] }, { type: "paragraph", content: [{ type: "text", text: "It " }, { type: "text", marks: [{ type: "bold" }], text: "rained" }, { type: "hard_break" }, { type: "text", text: "all day long." }] }] } }, [["Rain", "Rain\n\nIt rained\nall day long."]]],
    ["another editor's", { ops: [{ insert: "It " }, { insert: "rained", attributes: { bold: true } }, { insert: { image: "x" } }, { insert: " all day.\n" }] }, [[null, "It rained all day."]]],
  ])("%s", async (_, value, expected) => {
    expect(found(await readValue(value))).toEqual(expected);
  });

  it("reads an archive of posts as one piece, without what repeats others", async () => {
    const posts = Array.from({ length: 12 }, (_, i) => ({ tweet: { id_str: `${i}`, full_text: i === 3 ? "RT @ann: the river stood high" : `It rained all day, number ${i}.` } }));
    const { extracts, leftOut } = await read(`window.YTD.tweets.part0 = ${JSON.stringify(posts)}`);
    expect(extracts).toHaveLength(1);
    expect(extracts[0]).toMatchObject({ name: null, form: "paragraphs" });
    expect(extracts[0]?.text.split("\n\n")).toHaveLength(11);
    expect(leftOut.map(({ reason }) => reason)).toEqual(["A post that repeats somebody else's is left out."]);
  });

  it("keeps short notes apart that have titles of their own", async () => {
    expect(found(await readValue([1, 2, 3, 4].map((i) => ({ title: `Note ${i}`, text: "Peas in, rain after." }))))).toHaveLength(4);
    expect(found(await readValue([1, 2, 3, 4].map(() => ({ text: "Peas in, rain after." }))))).toHaveLength(1);
  });

  it("takes markup off, and keeps lines that only hold some", async () => {
    expect(await readValue({ html: "<p>It <em>rained</em> &amp; blew.</p><p>All day.</p>" })).toMatchObject({ extracts: [{ text: "It rained & blew.\n\nAll day.", form: "paragraphs" }] });
    expect(found(await readValue({ content: "It <em>rained</em>.\n\nAll day,\nand the next." }))[0]?.[1]).toBe("It rained.\n\nAll day,\nand the next.");
    expect(found(await readValue({ text: "if a < b and c > d, then it rained all day" }))[0]?.[1]).toBe("if a < b and c > d, then it rained all day");
  });

  it("reads whatever rows it is given back to the same texts, in JSON and in lines", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(`rows-${seed}`);
      const rows = Array.from({ length: 1 + random.int(20) }, (_, i) => ({ n: i, title: `Piece ${i}`, body: prose(`${seed}-${i}`, 1 + random.int(4)), tags: ["a", { b: [] }] }));
      const expected = rows.map(({ title, body }) => [title, body]);
      expect(found(await readValue(rows))).toEqual(expected);
      expect(found(await readValue({ a: { b: { c: rows } } }))).toEqual(expected);
      expect(found(await read(rows.map((row) => `${JSON.stringify(row)}\r\n`).join("\n")))).toEqual(expected);
    }
  });
});

describe("conversations", () => {
  const machine = [{ role: "user", content: ONE }, { role: "assistant", content: TWO }];
  const talk = Array.from({ length: 12 }, (_, i) => ({ from: i % 2 ? "Ann" : "Bo", date: "2024-03-05", text: "See you there, and bring the map." }));
  it.each<[string, unknown]>([
    ["messages", { messages: machine }],
    ["rows of messages", [{ messages: machine }, { messages: machine }]],
    ["a bare list", machine],
    ["from and value", { conversations: [{ from: "human", value: ONE }, { from: "gpt", value: TWO }] }],
    ["a tree of messages", [{ title: "Rain", mapping: { a: { message: { author: { role: "user" }, content: { parts: [ONE] } } }, b: { message: null } } }]],
    ["messages in a shell", [{ uuid: "x", name: "Rain", chat_messages: [{ sender: "human", text: ONE }, { sender: "assistant", text: TWO }] }]],
    ["a messenger's export", { about: "Here is the data that you asked for some days ago, all of it, with every message that was kept here.", chats: { list: [{ name: "Ann", type: "personal_chat", messages: talk }] } }],
    ["authors as objects", { messages: talk.map(({ from, text: content }) => ({ author: { id: "1", name: from }, content, timestamp: "x" })) }],
    ["a channel's list", talk.map(({ from, text: own }, i) => ({ type: "message", user: from, text: own, ts: `${i}` }))],
  ])("sets %s aside", async (_, value) => {
    const error = await refusal(readValue(value));
    expect(error.code).toBe("file/chat");
    expect(error.message).toMatch(/^“a\.json” looks like a conversation: .*a later one reads chats\.$/);
  });

  it("sets them aside beside writing, and counts them", async () => {
    const { extracts, leftOut } = await readValue({ notes: [{ text: ONE }], chats: [{ messages: machine }, { messages: machine }] });
    expect(extracts.map(({ text: own }) => own)).toEqual([ONE]);
    expect(leftOut).toEqual([{ name: "a.json", reason: "2 conversations in it are left out: some of their messages are other people's, or a machine's." }]);
  });

  it("takes articles by several authors, and one person's messages, for writing", async () => {
    expect(found(await readValue([{ author: "Ann", text: prose(1, 4) }, { author: "Bo", text: prose(2, 4) }, { author: "Ann", text: prose(3, 4) }, { author: "Bo", text: prose(4, 4) }]))).toHaveLength(4);
    expect((await readValue({ messages: talk.map((message) => ({ ...message, from: "Ann" })) })).extracts).toHaveLength(1);
  });
});

describe("hostile data", () => {
  it("makes no key a member of anything", async () => {
    expect(found(await read(`{"__proto__": {"text": ${JSON.stringify(ONE)}}, "constructor": {"prototype": {"text": ${JSON.stringify(TWO)}}}}`))).toEqual([[null, ONE], [null, TWO]]);
    expect(({} as { text?: unknown }).text).toBeUndefined();
  });

  it("survives depth, numbers, doubled keys and halves of characters", async () => {
    const deep = (depth: number): string => '{"a":['.repeat(depth) + JSON.stringify({ text: ONE }) + "]}".repeat(depth);
    expect(found(await read(deep(900)))).toEqual([[null, ONE]]);
    expect((await refusal(read(deep(5_000)))).code).toBe("file/too-large");
    expect((await refusal(read("[".repeat(1_000_000)))).code).toBe("file/too-large");
    expect((await refusal(read(`[${"[],".repeat(3_500_000)}1]`))).code).toBe("file/too-large");
    expect(found(await read(`{"n": 1e99999, "m": -${"9".repeat(5_000)}, "text": "no", "text": ${JSON.stringify(ONE)}}`))).toEqual([[null, ONE]]);
    expect(found(await read(`{"text": "It rained \\ud800 all day \\u0000 long."}`))).toHaveLength(1);
  });

  it("takes nothing for an editor's document that is deeper than those are: it would be looked at again at each depth", () => {
    const nested = (depth: number): object => {
      let node: object = { type: "paragraph", content: [{ type: "text", text: "It rained." }] };
      for (let i = 0; i < depth; i++) node = { type: "list_item", content: [node] };
      return { type: "doc", content: [node] };
    };
    expect(editorText(nested(30))).toBe("It rained.");
    expect(editorText(nested(60))).toBeNull();
  });

  it.each<[string, string, string, RegExp]>([
    ["cut off", '{"text": "It rained all', "file/damaged", /ends too early/],
    ["no JSON", "It rained all day", "file/damaged", /breaks its rules/],
    ["numbers", "[1, 2, 3]", "file/empty", /no writing was found/],
    ["settings", JSON.stringify({ name: "ductus", version: "1.0.0", scripts: { build: "next build && next start" }, description: "A tool." }), "file/empty", /no writing was found/],
  ])("refuses what is %s", async (_, value, code, words) => {
    const error = await refusal(read(value));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
  });

  it("reads the lines that are whole, and counts the others", async () => {
    const lines = [ONE, TWO, THREE].map((own) => JSON.stringify({ text: own }));
    const { extracts, leftOut } = await read(`${lines.join("\n")}\n${lines[0]?.slice(0, 40)}`);
    expect(extracts).toHaveLength(3);
    expect(leftOut.map(({ reason }) => reason)).toEqual(["One of its lines is damaged and could not be read."]);
  });

  it("counts brackets only outside of strings", () => {
    expect(parseJson(JSON.stringify("[".repeat(10_000)))).toEqual({ value: "[".repeat(10_000) });
    expect(parseJson(JSON.stringify(`\\"${"[".repeat(10_000)}`))).toEqual({ value: `\\"${"[".repeat(10_000)}` });
    expect(parseJson("[".repeat(10_000))).toBe("too-intricate");
    expect(parseJson("{")).toBe("broken");
  });
});
