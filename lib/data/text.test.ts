import { describe, expect, it } from "vitest";
import { DuctusError } from "../core/errors";
import { Random } from "../core/random";
import { prose, wrap } from "./testing/prose";
import { cleanText, decodeText, MAX_FILE_BYTES } from "./text";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
function utf16(text: string, order: "le" | "be"): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), order === "le");
  return bytes;
}
const join = (...parts: (number[] | Uint8Array)[]): Uint8Array => Uint8Array.from(parts.flatMap((p) => [...p]));
function refusal(bytes: Uint8Array, name = "x.txt"): DuctusError {
  try {
    decodeText(bytes, name);
  } catch (error) {
    if (error instanceof DuctusError) return error;
    throw error;
  }
  throw new Error("was read, but should have been refused");
}

const FRENCH = "L'été était fini — « déjà », dit-elle. Le cœur léger, il s'en alla vers la forêt.";
const RUSSIAN = "Зимой мы топили печь. Утром шёл снег, и никто не выходил.\nПотом всё стихло.";

describe("encodings", () => {
  it.each<[string, Uint8Array, string, string]>([
    ["UTF-8", utf8(FRENCH), "utf-8", FRENCH],
    ["UTF-8 with mark", join([0xef, 0xbb, 0xbf], utf8(FRENCH)), "utf-8", FRENCH],
    ["UTF-16 LE with mark", join([0xff, 0xfe], utf16(FRENCH, "le")), "utf-16le", FRENCH],
    ["UTF-16 BE with mark", join([0xfe, 0xff], utf16(FRENCH, "be")), "utf-16be", FRENCH],
    ["UTF-16 LE", utf16(FRENCH, "le"), "utf-16le", FRENCH],
    ["UTF-16 BE", utf16(FRENCH, "be"), "utf-16be", FRENCH],
    ["UTF-16 LE in Cyrillic", utf16(RUSSIAN, "le"), "utf-16le", RUSSIAN],
    ["UTF-16 BE in Cyrillic", utf16(RUSSIAN, "be"), "utf-16be", RUSSIAN],
    ["UTF-16 LE cut off", utf16(RUSSIAN, "le").subarray(0, -1), "utf-16le", RUSSIAN.slice(0, -1)],
    ["windows-1252", latin("Caf\xe9 \x93na\xefve\x94 \x97 10 \x80, d\xe9j\xe0 vu, don\x92t."), "windows-1252", "Café “naïve” — 10 €, déjà vu, don’t."],
    ["UTF-8 cut off in a letter", utf8("Il s'en alla vers la forê").subarray(0, -1), "utf-8", "Il s'en alla vers la for"],
  ])("reads %s", (_, bytes, encoding, text) => {
    const read = decodeText(bytes, "a.txt");
    expect(read.encoding).toBe(encoding);
    expect(read.text).toBe(text);
  });

  it("refuses rather than garbles", () => {
    expect(refusal(join(utf8(FRENCH), [0xff], utf8(FRENCH))).code).toBe("file/damaged");
    expect(refusal(join([0xff, 0xfe], utf16(`ab\ud800cd`, "le"))).code).toBe("file/damaged");
    expect(refusal(join([0xff, 0xfe, 0, 0], utf16("a\0b\0", "le"))).code).toBe("file/encoding");
    // Russian in windows-1251, Polish in windows-1250, French in Mac Roman
    const cp1251 = Uint8Array.from(RUSSIAN, (c) => { const u = c.charCodeAt(0); return u === 0x451 ? 0xb8 : u >= 0x410 && u <= 0x44f ? u - 0x410 + 0xc0 : u; });
    expect(refusal(cp1251).code).toBe("file/encoding");
    expect(refusal(latin("W go\xb3\xeabniku \xb3apa\xb3 bia\xb3e pi\xf3ra, a za\xb6 ksi\xb9\xbfka le\xbfa\xb3a.")).code).toBe("file/encoding");
    expect(refusal(latin("Le caf\x8e \x8etait d\x8ej\x88 ferm\x8e, mais ouvert \x88 l'\x8et\x8e. Il \x8etait l\x88.")).code).toBe("file/encoding");
  });

  it("never turns a valid text with a few changed bytes into other letters", () => {
    const random = new Random("mutate");
    const original = `${FRENCH} ${RUSSIAN} `.repeat(6);
    const bytes = utf8(original);
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const copy = bytes.slice();
      for (let k = 1 + random.int(3); k > 0; k--) copy[random.int(copy.length)] = random.int(256);
      try {
        const { text, encoding } = decodeText(copy, "a.txt");
        expect(encoding).toBe("utf-8");
        expect(text).not.toMatch(/Ã|Ð/);
      } catch (error) {
        expect(error).toBeInstanceOf(DuctusError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});

describe("what is not plain writing", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["PDF", utf8("%PDF-1.7\n1 0 obj"), /PDF/],
    ["docx", latin("PK\x03\x04\x14\0\x06\0word/document.xml"), /Word document/],
    ["docx by its directory", join(latin("PK\x03\x04\x14\0\x06\0[Content_Types].xml"), new Uint8Array(9000), latin("word/document.xml")), /Word document/],
    ["epub", latin("PK\x03\x04\x14\0mimetypeapplication/epub+zip"), /EPUB/],
    ["zip", latin("PK\x03\x04\x14\0\0\0photo.raw"), /zip/],
    ["png", latin("\x89PNG\r\n\x1a\n"), /PNG/],
    ["jpeg", latin("\xff\xd8\xff\xe0\0\x10JFIF"), /JPEG/],
    ["rtf", utf8("{\\rtf1\\ansi Hello}"), /RTF/],
    ["webp", latin("RIFF\x10\0\0\0WEBPVP8 "), /WebP/],
    ["film", latin("\0\0\0\x18ftypmp42"), /film/],
    ["html", utf8("<!DOCTYPE html>\n<html><body><p>Hello</p></body></html>"), /web page/],
    ["json", utf8('[{"from": "me", "text": "hello"}]'), /JSON/],
    ["json lines", utf8('{"a": 1}\n{"a": 2}\n{"a": 3}\n'), /JSON/],
    ["csv", utf8("date,from,to,text\n".repeat(8)), /CSV/],
    ["mail", utf8("From ann@example.org Mon\nReceived: by x\nMessage-ID: <1>\n\nHello"), /e-mail/],
  ])("refuses %s in words", (_, bytes, words) => {
    const error = refusal(bytes, "thing");
    expect(error.code).toBe("file/not-text");
    expect(error.message).toMatch(words);
    expect(error.message).toContain("“thing”");
    expect(error.next).not.toBe("");
  });

  it("refuses bytes, emptiness and too much", () => {
    const random = new Random(5);
    for (let round = 0; round < 50; round++) expect(refusal(Uint8Array.from({ length: 4000 }, () => random.int(256))).code).toMatch(/^file\/(?:binary|encoding|not-text|damaged)$/);
    expect(refusal(latin("some\0 text \0\0\0 with zero bytes")).code).toBe("file/binary");
    expect(refusal(latin("a\x01b\x02c\x03d")).code).toBe("file/binary");
    expect(refusal(new Uint8Array()).code).toBe("file/empty");
    expect(refusal(utf8(" \n\n … \n")).code).toBe("file/empty");
    expect(refusal(new Uint8Array(MAX_FILE_BYTES + 1)).code).toBe("file/too-large");
  });
});

describe("chats", () => {
  const lines = (make: (name: string, i: number) => string): Uint8Array => utf8(Array.from({ length: 24 }, (_, i) => make(i % 3 === 0 ? "Ann" : "Bo Li", i)).join("\n"));
  it.each<[string, Uint8Array]>([
    ["WhatsApp (iOS)", lines((name, i) => `\u200e[12/03/2024, 21:04:${10 + i}] ${name}: see you there\nand bring the map`)],
    ["WhatsApp (Android)", lines((name, i) => `12/03/24, 9:${10 + i}\u202fpm - ${name}: see you there`)],
    ["ISO dates", lines((name, i) => `2024-03-12 21:${10 + i} - ${name}: ok`)],
    ["IRC", lines((name, i) => `[12:${10 + i}] <${name.split(" ")[0]}> who has the key?`)],
    ["IRC without brackets", lines((name, i) => `12:${10 + i} <${name}> who has the key?`)],
    ["bare IRC", lines((name) => `<${name}> who has the key?`)],
    ["names", lines((name, i) => `${name}: line ${i} of it`)],
    ["Telegram's lines, copied", utf8(Array.from({ length: 20 }, (_, i) => `${i % 2 ? "Ann" : "Bo"}, [12.03.2024 21:${10 + i}]\nI went down to the river.\n`).join("\n"))],
    ["Discord's lines, copied", utf8(Array.from({ length: 20 }, (_, i) => `${i % 2 ? "Ann" : "Bo"} — Today at 9:${10 + i} PM\nI went down to the river.`).join("\n"))],
    ["Slack's lines, copied", utf8(Array.from({ length: 20 }, (_, i) => `${i % 2 ? "Ann" : "Bo"}  9:${10 + i} PM\nI went down to the river.`).join("\n"))],
    ["stamps before the name alone", utf8(Array.from({ length: 20 }, (_, i) => `[12-Mar-24 09:${10 + i} PM] ${i % 2 ? "Ann" : "Bo"}\nI went down to the river.\n`).join("\n"))],
    ["ISO stamps", utf8(Array.from({ length: 20 }, (_, i) => `2024-03-12T21:${10 + i}:00Z ${i % 2 ? "Ann" : "Bo"}: I went down to the river.`).join("\n"))],
    ["names in bold", utf8(Array.from({ length: 20 }, (_, i) => `**${i % 2 ? "Ann" : "Bo"}:** I went down to the river.`).join("\n\n"))],
    ["a talk with a machine", utf8(Array.from({ length: 20 }, (_, i) => `${i % 2 ? "You" : "ChatGPT"} said:\nI went down to the river.\n`).join("\n"))],
  ])("refuses %s", (_, bytes) => {
    expect(refusal(bytes).code).toBe("file/chat");
  });

  it.each<[string, string]>([
    ["prose", prose(1, 30)],
    ["a diary with times", Array.from({ length: 20 }, (_, i) => `12:${10 + i} walked the dog, came back wet`).join("\n")],
    ["a diary by weekday", Array.from({ length: 21 }, (_, i) => `${["Monday", "Tuesday", "Wednesday"][i % 3]}: dug the second bed and sat down`).join("\n")],
    ["a novel with some dialogue lines", `${prose(2, 20)}\n\nAnn: yes\nBo: no\nAnn: why\nBo: because\nAnn: oh\n\n${prose(3, 20)}`],
    ["notes under times", Array.from({ length: 20 }, (_, i) => `Monday, 9:${10 + i} am\nwent down to the river, and back`).join("\n\n")],
    ["dated notes", Array.from({ length: 20 }, (_, i) => `march ${i + 1}: peas in, rain after`).join("\n")],
  ])("reads %s", (_, text) => {
    expect(decodeText(utf8(text), "a.txt").text).toBe(text);
  });
});

describe("cleaning", () => {
  it("normalises line ends, spaces and invisible characters, and leaves the rest", () => {
    const read = decodeText(utf8("One\r\ntwo \t\r\rthree\u2028four\u00a0five\u200b \u001b[1mbold\u001b[0m\u0007\n\n\n\n\n\nsix\u00ad e\u0301 👩\u200d🌾  two  spaces\n\n"), "a.txt");
    expect(read.text).toBe("One\ntwo\n\nthree\nfour five bold\n\n\nsix é 👩\u200d🌾  two  spaces");
  });

  it("is idempotent", () => {
    const once = cleanText("  a\tb \r\n\r\n\r\n\r\nc    d  \n");
    expect(cleanText(once)).toBe(once);
    expect(decodeText(utf8(prose(4, 10)), "a").text).toBe(prose(4, 10));
  });

  it("takes the settings off that stand above a Markdown text, and nothing else between rules", () => {
    const note = (above: string): string => decodeText(utf8(`---\n${above}\n---\n\n${prose(7, 3)}`), "a.md").text;
    expect(note("title: A walk\ntags:\n  - hills\n  - rain\n\n# kept short\ndraft: false")).toBe(prose(7, 3));
    expect(note("It rained: all day, and then")).toBe(`---\nIt rained: all day, and then\n---\n\n${prose(7, 3)}`);
  });

  it("takes Project Gutenberg's words off and unwraps what is between", () => {
    const body = prose(6, 12);
    const file = `The Project Gutenberg eBook of Nothing\r\n\r\nTitle: Nothing\r\n\r\n*** START OF THE PROJECT GUTENBERG EBOOK NOTHING ***\r\n\r\n\r\nProduced by Nobody\r\nand friends\r\n\r\n\r\n${wrap(body, 72).replace(/\n/g, "\r\n")}\r\n\r\nEnd of Project Gutenberg's Nothing\r\n\r\n*** END OF THE PROJECT GUTENBERG EBOOK NOTHING ***\r\nlicence`;
    const read = decodeText(utf8(file), "pg.txt");
    expect(read).toMatchObject({ gutenberg: true, unwrapped: true, text: body });
  });
});
