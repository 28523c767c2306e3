/** PDFs as they are set: what is a line, a paragraph, a column, a head; and what is refused. */
import { describe, expect, it } from "vitest";
import { deflateSync, strToU8, zlibSync } from "fflate";
import { COURIER, joined, PAGE, pdfFile, pdfOf, setInCourier, type PdfOptions, type PdfText } from "../testing/pdf-file";
import { prose, wrap } from "../testing/prose";
import { readPdf } from "./pdf";
import { ascii85, asciiHex } from "./pdf-bytes";
import type { ReaderContext } from "./types";

const context = (signal = new AbortController().signal, maxBytes = Infinity): ReaderContext => ({
  name: "a.pdf", signal,
  budget: {
    takeBytes: (bytes) => {
      if (bytes > maxBytes) throw new Error("budget");
    },
    takeEntries: () => undefined,
  },
});
const readBytes = (bytes: Uint8Array) => readPdf(bytes, context());
const read = async (pages: readonly (readonly PdfText[])[], options?: PdfOptions) => (await readBytes(pdfFile(pages, options))).extracts[0]!.text;
const SIZE = 9;
const charWidth = COURIER * SIZE;
/** Lines from a height down. */
const lines = (texts: readonly string[], { x = 60, y = 500, step = 11 } = {}): PdfText[] => texts.map((text, i) => ({ x, y: y - step * i, text, size: SIZE }));
const wrapped = (text: string, width = 55) => wrap(text, width).split("\n");
const PARAGRAPHS = prose("pdf", 12).split("\n\n");

describe("paragraphs", () => {
  it("are parted by gaps, and go over pages", async () => {
    expect(await read(setInCourier(PARAGRAPHS.map((p) => wrapped(p))))).toBe(PARAGRAPHS.join("\n\n"));
  });

  it("are parted by indents, those of one line too", async () => {
    const own = [...PARAGRAPHS.slice(0, 4), "“No.”", "“Why not?” she said.", ...PARAGRAPHS.slice(4, 8)];
    let y = 560;
    const pages: PdfText[][] = [[]];
    for (const text of own) {
      wrap(`    ${text}`, 55).split("\n").forEach((line, i) => {
        if (y < 80) {
          pages.push([]);
          y = 560;
        }
        pages.at(-1)!.push({ x: 60 + (i === 0 ? 4 * charWidth : 0), y, text: line.trim(), size: SIZE });
        y -= 11;
      });
    }
    expect(pages.length).toBeGreaterThan(1);
    expect(await read(pages)).toBe(own.join("\n\n"));
  });

  it("have their divided words put together, and their compounds left", async () => {
    const text = ["The photographer spoke of the lighthouse, for the photo-", "grapher knew the well-known light of the old light-", "house, and her half-", "finished work; a well-", "known light – and – so on."];
    expect(await read([lines(text)])).toBe("The photographer spoke of the lighthouse, for the photographer knew the well-known light of the old lighthouse, and her halffinished work; a well-known light – and – so on.");
    expect(await read([lines(["The old photographs were taken by the sea — in", "winter, she said, and not in the summer—", "never then — and only by her own half-", "sister, whose half of it was as large as a sister's."])]))
      .toBe("The old photographs were taken by the sea — in winter, she said, and not in the summer—never then — and only by her own half-sister, whose half of it was as large as a sister's.");
  });

  it("keep the lines of verse", async () => {
    const stanzas = [["So much of what the river said", "Was lost before it reached the sea", "And what was found again was read", "By no one but the bird and me"], ["a second stanza, small and low", "with letters that begin so", "and ends", "where it must go"]];
    expect(await read(setInCourier([...stanzas, wrapped(PARAGRAPHS[0]!)]))).toBe([...stanzas.map((s) => s.join("\n")), PARAGRAPHS[0]].join("\n\n"));
    const blank = wrap(PARAGRAPHS.join(" ").replace(/[.]/g, ""), 42).split("\n").slice(0, 30).map((line) => line[0]!.toUpperCase() + line.slice(1));
    expect(await read([lines(blank)])).toBe(blank.join("\n")); // lines that fill their width, each with a capital
  });
});

describe("the page", () => {
  it("is read column by column where it has two", async () => {
    const column = (from: number, x: number) => PARAGRAPHS.slice(from, from + 2).flatMap((p, i) => lines(wrapped(p, 26), { x, y: 510 - 230 * i }));
    const page = [{ x: 120, y: 540, text: "A title over both of them", size: 14 }, ...column(0, 40), ...column(2, 225)];
    expect(await read([page.slice().reverse()])).toBe(["A title over both of them", ...PARAGRAPHS.slice(0, 4)].join("\n\n"));
  });

  it("loses its running heads, numbers and notes", async () => {
    const long = prose("pdf, longer", 48).split("\n\n");
    const body = setInCourier(long.map((p) => wrapped(p)));
    expect(body.length).toBeGreaterThan(4);
    const pages = body.map((page, i) => [
      ...page,
      // a book's name, and each chapter's on its own page alone
      { x: 60, y: 572, text: i % 2 === 0 ? `${i + 7} The river` : `${"Morning Evening Winter Copper Orchard Kettle Ladder".split(" ")[i % 7]} ${i + 7}`, size: 8 },
      { x: 200, y: 30, text: `– ${i + 1} –`, size: 8 },
    ]);
    pages[1]!.push({ x: 60, y: 46, text: "1 A note in small print, of some words.", size: 6 });
    const { extracts, leftOut } = await readBytes(pdfFile(pages));
    expect(extracts[0]!.text).toBe(long.join("\n\n"));
    expect(leftOut).toEqual([{ name: "a.pdf", reason: "Notes at the foot of its pages were left out." }]);
  });

  it("may be turned, begin with a large initial, and have raised numbers of notes", async () => {
    const initial = [{ x: 60, y: 489, text: "T", size: 30 }, ...lines(["he river was wide and slow and nobody knew", "where it went after the bridge, not even the"], { x: 82, y: 511 }), ...lines(["old man who had lived beside it for as long as he", "could remember, in a house with one window."], { y: 489 })];
    expect(await read([initial])).toBe("The river was wide and slow and nobody knew where it went after the bridge, not even the old man who had lived beside it for as long as he could remember, in a house with one window.");
    expect(await read([[{ x: 60, y: 300, text: "He said so", size: 10 }, { x: 121, y: 304, text: "12", size: 6 }, { x: 129, y: 300, text: "and went home again.", size: 10 }]])).toBe("He said so and went home again.");
  });

  it("is read from its words, wherever they stand in the file", async () => {
    const words = wrapped(PARAGRAPHS[0]!).flatMap((line, row) => [...line.matchAll(/\S+/g)].map(({ 0: text, index }) => ({ x: 60 + index * charWidth, y: 500 - 11 * row, text, size: SIZE })));
    expect(await read([words.sort((a, b) => a.text.localeCompare(b.text))])).toBe(PARAGRAPHS[0]);
  });

  it("leaves out what is turned against it", async () => {
    const content = strToU8("BT /F1 9 Tf 1 0 0 1 60 300 Tm (River and lantern, window and garden.) Tj 0 1 -1 0 20 100 Tm (arXiv:1234.5678) Tj ET");
    expect((await readBytes(pdfOf([content]))).extracts[0]!.text).toBe("River and lantern, window and garden.");
    const sideways = strToU8(`BT /F1 9 Tf 0 1 -1 0 ${PAGE.width / 2} 60 Tm (River and lantern, window and garden.) Tj ET`);
    expect((await readBytes(pdfOf([sideways], { rotate: 90 }))).extracts[0]!.text).toBe("River and lantern, window and garden.");
  });
});

describe("what is refused", () => {
  it("scans, with what to do", async () => {
    await expect(readBytes(pdfOf([strToU8("10 10 100 100 re f")]))).rejects.toMatchObject({ code: "file/not-text", next: expect.stringContaining("OCR") as string });
    const some = await readBytes(pdfFile([lines(wrapped(PARAGRAPHS[0]!)), []]));
    expect(some.leftOut).toEqual([{ name: "a.pdf", reason: "One of its pages has no text that can be read." }]);
  });

  it("passwords and broken files", async () => {
    const encrypted = pdfFile([lines(["River"])], { trailer: "/Encrypt << /Filter /Standard /V 1 /R 2 /P -1 /O (12345678901234567890123456789012) /U (12345678901234567890123456789012) >> /ID [(a) (a)]" });
    await expect(readBytes(encrypted)).rejects.toMatchObject({ code: "file/encrypted" });
    await expect(readBytes(strToU8("%PDF-1.7\nnothing"))).rejects.toMatchObject({ code: "file/damaged" });
  });

  it("bombs, before they are unpacked", async () => {
    const spaces = new Uint8Array(30_000_000).fill(0x20);
    await expect(readPdf(pdfOf([spaces]), context(undefined, 20_000_000))).rejects.toThrow("budget");
    await expect(readBytes(pdfOf([zlibSync(spaces)], { filter: "/Filter [/FlateDecode /FlateDecode]" }))).rejects.toMatchObject({ code: "file/too-large" });
    await expect(readBytes(pdfOf([zlibSync(spaces)], { filter: "/Filter [/Flate#44ecode /LZWDecode]" }))).rejects.toMatchObject({ code: "file/too-large" });
    // behind a feigned end: a block that is stored, then the bomb (RFC 1950, 1951)
    const feigned = joined([Uint8Array.of(0x78, 0x01, 0x00, 10, 0, 0xf5, 0xff), strToU8("endstream\n"), deflateSync(spaces)]);
    await expect(readPdf(pdfOf([feigned], { packed: false, filter: "/Filter /FlateDecode" }), context(undefined, 20_000_000))).rejects.toThrow("budget");
  });

  it("states in one another, on which pdf.js would work for minutes", async () => {
    for (const packed of [true, false]) await expect(readBytes(pdfOf([strToU8(`${"q ".repeat(50_000)}BT /F1 9 Tf (River) Tj ET`)], { packed }))).rejects.toMatchObject({ code: "file/damaged" });
    expect((await readBytes(pdfOf([strToU8(`${"q Q ".repeat(500)}BT /F1 9 Tf 60 60 Td (River and lantern, a window) Tj ET`)]))).extracts[0]!.text).toBe("River and lantern, a window");
  });

  it("goes no further when it is told to stop", async () => {
    const controller = new AbortController();
    const reading = readPdf(pdfFile(Array.from({ length: 400 }, () => lines(wrapped(PARAGRAPHS[0]!)))), context(controller.signal));
    setTimeout(() => controller.abort(new Error("stopped")), 20);
    await expect(reading).rejects.toThrow("stopped");
  });
});

it("unpacks letters as other programs do", () => {
  // Python's base64.a85encode
  expect(ascii85(strToU8("<+ohcEbT].E\\7=l+TMKB!+g%Y~>"))).toEqual(strToU8("The river.\0\0!\0\0\0\0end"));
  expect(asciiHex(strToU8("54 68 65 2> trailing"))).toEqual(strToU8("The "));
});
