/** RTF against striprtf (tools/reference/rtf.py), and what striprtf reads otherwise. */
import { describe, expect, it } from "vitest";
import { referenceJson } from "../../train/testing/reference";
import { joinParagraphs } from "./paragraphs";
import { readRtf } from "./rtf";
import type { ReaderContext } from "./types";

const context = (name = "a.rtf", signal = new AbortController().signal): ReaderContext => ({ name, signal, budget: { takeBytes: () => undefined, takeEntries: () => undefined } });
const latin = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const read = async (rtf: string) => (await readRtf(latin(rtf), context())).extracts[0]!;
const text = async (body: string) => (await read(`{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fcharset0 Times;}{\\f1\\fcharset2 Symbol;}{\\f2\\fcharset2 Wingdings;}{\\f3 Arial;}}${body}}`)).text;

const { cases } = referenceJson("import/rtf.json") as { cases: { name: string; rtf: string; striprtf: string }[] };

/** Where ours differs, and why. */
const OTHERWISE: Record<string, string> = {
  "hidden and deleted": "Seen and kept.", // striprtf reads text that the writer hid or deleted
  lists: "milk bread", // it keeps \listtext, a number that the program wrote
  tables: "milk two After it.", // it parts cells by "|"
};

it.each(cases)("reads as striprtf does: $name", async ({ name, rtf, striprtf }) => {
  const words = (from: string) => from.replaceAll("\u00ad", "").replace(/\s+/g, " ").trim();
  expect(words((await read(rtf)).text)).toBe(OTHERWISE[name] ?? words(striprtf));
});

describe("text", () => {
  it.each<[string, string, string]>([
    ["paragraphs and lines", "One.\\par Two\\line three.\\\nFour.", "One.\n\nTwo\nthree.\n\nFour."],
    ["verse typed line by line", "a b c,\\par d e f;\\par\\par g h i,\\par j k l.\\par", "a b c,\nd e f;\n\ng h i,\nj k l."],
    ["line ends of the file", "one tw\r\no three", "one two three"],
    ["a substitute that is a word, a symbol or bytes", "\\uc1 a\\u8212\\emdash b\\u8212\\~c\\u8212\\bin2 }}d", "a—b—c—d"],
    ["a substitute that ends with its group", "{\\uc4 a\\u8212 -}bcd", "a—bcd"],
    ["counts of substitutes by group", "\\uc0{\\uc2\\u8212--}\\u8212-", "——-"],
    ["the Unicode form of two", "{\\upr{?????}{\\*\\ud{\\u26481\\'82\\u20140\\'8f}}}", "東京"],
    ["Greek in the font Symbol", "a{\\f1 bc}\\f1\\'b7\\f0 d", "aβχ•d"],
    ["pictures in the font Wingdings", "a {\\f2 J}b", "a b"],
    ["bullets of symbol fonts by their Unicode", "\\u-3913?\\u-3984? x", "• x"],
    ["a font without a character set", "{\\f3 caf\\'e9}", "café"],
    ["hidden text until \\plain", "a{\\v b\\plain c}d", "acd"],
    ["destinations that are not known", "a{\\*\\unheard of {b}}c", "ac"],
    ["control words that are not known", "a\\unheard17 b\\-c", "abc"],
    ["text boxes and comments", "a{\\shp{\\*\\shpinst{\\shptxt b}}{\\shprslt c}}{\\*\\annotation d}e", "ae"],
    ["broken bytes in hex", "a\\'zzb", "azzb"],
    ["what follows the end", "a}b", "a"],
  ])("reads %s", async (_, rtf, expected) => {
    expect(await text(rtf)).toBe(expected);
  });

  it("reads code pages", async () => {
    expect((await read("{\\rtf1\\ansi\\ansicpg1251 \\'cf\\'f0\\'e8}")).text).toBe("При");
    expect((await read("{\\rtf1\\ansi\\ansicpg932 \\'83A\\'83\\\\\\'83C}")).text).toBe("アソイ"); // second bytes that are letters of ASCII
    expect((await read("{\\rtf1\\pc \\'82\\'94}")).text).toBe("éö");
    expect((await read("{\\rtf1\\pca \\'d0}")).text).toBe("ð");
    expect((await read("{\\rtf1\\ansi\\ansicpg65001 caf\u00c3\u00a9}")).text).toBe("café");
    expect((await read("{\\rtf1\\ansi\\ansicpg1252 caf\u00e9 \u0093x\u0094}")).text).toBe("café “x”");
    await expect(read("{\\rtf1\\ansi\\ansicpg1361 \\'88a}")).rejects.toMatchObject({ code: "file/not-text" });
    await expect(read("{\\rtf1\\ansi\\ansicpg932 \\'83\\'ff\\'83\\'ff}")).rejects.toMatchObject({ code: "file/damaged" });
  });

  it("takes the title that the document gives itself", async () => {
    expect((await read("{\\rtf1{\\info{\\title By the r\\'edo \\u8212-}{\\author A}}x{\\title no}}")).name).toBe("By the río —");
    expect((await read("{\\rtf1{\\info{\\upr{\\title ?}{\\*\\ud{\\title \\u26481?}}}}x}")).name).toBe("東");
    expect((await read("{\\rtf1 x}")).name).toBeNull();
  });
});

describe("what is not whole", () => {
  it("says where a document breaks off", async () => {
    const { extracts, leftOut } = await readRtf(latin("{\\rtf1 a {\\b bold"), context());
    expect(extracts[0]!.text).toBe("a bold");
    expect(leftOut).toEqual([{ name: "a.rtf", reason: "The file breaks off before its end. What comes before was read." }]);
  });

  it("refuses depth beyond reason, and other files", async () => {
    await expect(text("{".repeat(100_000))).rejects.toMatchObject({ code: "file/damaged" });
    await expect(read("hello")).rejects.toMatchObject({ code: "file/damaged" });
  });

  it("passes over bytes beyond the end", async () => {
    expect(await text("a{\\pict\\bin99999999 zz")).toBe("a");
    expect(await text("a{\\pict\\bin-5 zz}b")).toBe("ab");
  });

  it("reads long runs in linear time, and stops when it is told", async () => {
    const words = "river ".repeat(1_000_000);
    expect((await text(words)).length).toBe(words.length - 1);
    expect(await text("\\par".repeat(500_000) + " x")).toBe("x");
    const controller = new AbortController();
    const reading = readRtf(latin(`{\\rtf1 ${"\\b ".repeat(1_000_000)}}`), context("a.rtf", controller.signal));
    controller.abort(new Error("stopped"));
    await expect(reading).rejects.toThrow("stopped");
  });
});

it("keeps prose in paragraphs, also with single empty lines between scenes", () => {
  const long = "A long paragraph of prose that goes on and on until it is well past the width of any line of verse.";
  expect(joinParagraphs([long, "“No.”", "", "", long])).toBe(`${long}\n\n“No.”\n\n${long}`);
  expect(joinParagraphs(["a", "b"])).toBe("a\n\nb");
  expect(joinParagraphs(["", " a", "  b", "", "c", "d", ""])).toBe(" a\n  b\n\nc\nd");
});
