import { strToU8, zipSync, type Zippable } from "fflate";
import { describe, expect, it } from "vitest";
import { readFile, withoutDuplicates } from "../documents";
import { Random } from "../../core/random";
import { prose, wrap } from "../testing/prose";
import { importFiles, type ImportedDocument, type ImportEvent, type ImportOptions, type InputFile } from "./import";
import { isSystemPath, tidyPath } from "./paths";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const file = (path: string, content: string | Uint8Array): InputFile => {
  const bytes = typeof content === "string" ? utf8(content) : content;
  return { path, bytes: bytes.length, read: () => Promise.resolve(bytes) };
};
const zip = (files: Record<string, string | Uint8Array>): Uint8Array => zipSync(Object.fromEntries(Object.entries(files).map(([path, own]): [string, Zippable[string]] => [path, typeof own === "string" ? strToU8(own) : own])));

interface Result {
  documents: ImportedDocument[];
  leftOut: { name: string; reason: string; source: string; document?: ImportedDocument }[];
  faults: { name: string; source: string; code: string; message: string }[];
  events: ImportEvent[];
}

async function run(files: Iterable<InputFile> | AsyncIterable<InputFile>, options: ImportOptions = {}): Promise<Result> {
  const result: Result = { documents: [], leftOut: [], faults: [], events: [] };
  for await (const event of importFiles(files, options)) {
    result.events.push(event);
    if (event.type === "document") result.documents.push(event.document);
    else if (event.type === "left-out") result.leftOut.push(event);
    else if (event.type === "fault") result.faults.push({ name: event.name, source: event.source, code: event.error.code, message: event.error.message });
  }
  return result;
}
const names = ({ documents }: Result): string[] => documents.map(({ name }) => name);

describe("plain text", () => {
  it("is read as readFile reads it", async () => {
    const texts = [prose(1, 8), wrap(prose(2, 12), 72), [1, 2, 3, 4].map((i) => `A walk, number ${i}\n\n${prose(`w${i}`, 2)}`).join("\n\n---\n\n"), `---\ntitle: x\n---\n\n${prose(3, 2)}`, `*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n${wrap(prose(4, 12), 70)}\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\nlicence`];
    for (const [i, text] of texts.entries()) {
      const old = readFile(`text ${i}.txt`, utf8(text));
      const { documents, faults, events } = await run([file(`text ${i}.txt`, text)]);
      expect(faults).toEqual([]);
      expect(documents).toEqual(old.documents.map((document) => ({ ...document, format: "text", source: `text ${i}.txt` })));
      expect(events.find((event) => event.type === "file")).toMatchObject({ documents: old.documents.length, unwrapped: old.unwrapped });
    }
  });

  it("that is a chat is set aside with a word of explanation", async () => {
    const chat = Array.from({ length: 20 }, (_, i) => `[12/03/2024, 21:04:${10 + i}] ${i % 3 ? "Ann" : "Bo"}: see you there`).join("\n");
    const html = `<html><body>${chat.split("\n").map((line) => `<p>${line}</p>`).join("")}</body></html>`;
    const { documents, leftOut, faults } = await run([file("chat.txt", chat), file("chat.html", html)]);
    expect([documents, faults]).toEqual([[], []]);
    for (const { reason } of leftOut) expect(reason).toBe("It looks like a conversation: most of its lines are messages, and some of them are other people's. This version reads prose and verse; a later one reads chats.");
    expect(leftOut.map(({ name }) => name)).toEqual(["chat.txt", "chat.html"]);
  });
});

describe("many files", () => {
  it("one that is bad costs none of the others", async () => {
    const files = [file("a.txt", prose("a", 2)), file("b.txt", ""), file("c.png", latin("\x89PNG\r\n")), file("d.txt", Uint8Array.from([0, 1, 2, 0])), { path: "e", bytes: 3, read: () => Promise.reject(new Error("gone")) }, { path: "f", bytes: 2 ** 40, read: () => Promise.reject(new Error("must not be read")) }, file("g.docx", zip({ "[Content_Types].xml": "", "word/document.xml": "<w:nonsense" })), file("h.txt", prose("h", 2))];
    const result = await run(files);
    expect(names(result)).toEqual(["a", "h"]);
    expect(result.faults.map(({ name, code }) => [name, code]).slice(0, 5)).toEqual([["b.txt", "file/empty"], ["c.png", "file/not-text"], ["d.txt", "file/binary"], ["e", "file/unreadable"], ["f", "file/too-large"]]);
    expect(result.faults.at(-1)?.name).toBe("g.docx");
    for (const { name, message } of result.faults) expect(message).toContain(`“${name}”`);
  });

  it("come from anywhere one by one, and each is let go before the next", async () => {
    let open = 0, most = 0;
    async function* source(): AsyncGenerator<InputFile> {
      for (let i = 0; i < 50; i++) {
        open++;
        most = Math.max(most, open);
        yield { ...file(`${i}.txt`, `Number ${i} went out.`), read: () => Promise.resolve(utf8(`Number ${i} went out.`)) };
        open--;
      }
      await Promise.resolve();
    }
    expect((await run(source())).documents).toHaveLength(50);
    expect(most).toBe(1);
  });

  it("the same text is not taken twice, as withoutDuplicates has it", async () => {
    const texts = ["One went out.\n\nHome.", "Two went out.", "One went  out. Home.", "\u3000Two\u3000went out.", "Old one."];
    const result = await run(texts.map((text, i) => file(`n${i}.txt`, text)), { existing: [{ name: "old", text: "Old\none. " }] });
    const expected = withoutDuplicates(texts.map((text, i) => ({ name: `n${i}`, text, words: 3 })), [{ name: "old", text: "Old\none. " }]);
    expect(names(result)).toEqual(expected.documents.map(({ name }) => name));
    expect(result.leftOut.map(({ name, reason }) => ({ name, reason }))).toEqual(expected.leftOut);
    expect(result.leftOut.map(({ document }) => document?.text)).toEqual(["One went  out. Home.", "\u3000Two\u3000went out.", "Old one."]);
  });

  it("inspect changes documents and leaves them out, one after another", async () => {
    const inspected: string[] = [];
    const result = await run([file("a.txt", "Keep this."), file("b.txt", "Leave this."), file("c.txt", "Cut this. -- Ann")], {
      inspect: async (document) => {
        inspected.push(document.name);
        await Promise.resolve();
        return document.name === "b" ? { reason: "It is in another language." } : { document: { ...document, text: document.text.replace(" -- Ann", "") } };
      },
    });
    expect(inspected).toEqual(["a", "b", "c"]);
    expect(result.documents.map(({ text }) => text)).toEqual(["Keep this.", "Cut this."]);
    expect(result.leftOut).toMatchObject([{ name: "b", reason: "It is in another language.", document: { text: "Leave this." } }]);
  });

  it("stops when it is told to, in the middle of an archive too", async () => {
    const stop = new AbortController();
    const many = zip(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}.txt`, `Number ${i} went out.`])));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of importFiles([file("a.zip", many), file("b.txt", "Never read.")], { signal: stop.signal })) {
        if (event.type !== "document") continue;
        seen.push(event.document.name);
        if (seen.length === 5) stop.abort(new Error("enough"));
      }
    })();
    await expect(reading).rejects.toThrow("enough");
    expect(seen).toEqual(["0", "1", "2", "3", "4"]);

    // what fails because it was stopped is no fault of the file
    const stopped = new AbortController();
    const events: ImportEvent[] = [];
    const failing = (async () => {
      const read = () => {
        stopped.abort(new Error("enough"));
        return Promise.reject(new Error("cut off"));
      };
      for await (const event of importFiles([{ path: "a.txt", bytes: 1, read }], { signal: stopped.signal })) events.push(event);
    })();
    await expect(failing).rejects.toThrow("enough");
    expect(events.map(({ type }) => type)).toEqual(["progress"]);
  });

  it("tells how far it is, and lets others in between", async () => {
    const files = Array.from({ length: 400 }, (_, i) => file(`${i}.txt`, prose(`turn-${i}`, 20)));
    await run(files.slice(0, 1)); // loads what is loaded when it is first used, which takes turns too
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const { events } = await run(files);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
    const told = events.filter((event) => event.type === "progress");
    expect(told.length).toBeLessThan(files.length);
    expect(told[0]).toEqual({ type: "progress", name: "0.txt", filesDone: 0, bytesDone: 0 });
    expect(told.at(-1)).toEqual({ type: "progress", name: "", filesDone: 400, bytesDone: files.reduce((sum, { bytes }) => sum + bytes, 0) });
  });

  it("stops taking where there is no room for more, and says so once", async () => {
    const files = Array.from({ length: 9 }, (_, i) => file(`${i}.txt`, prose(`room-${i}`, 1)));
    const one = await run(files, { limits: { maxDocuments: 4 } });
    expect(names(one)).toEqual(["0", "1", "2", "3"]);
    expect(one.faults.map(({ name, code }) => [name, code])).toEqual([["4.txt", "file/too-large"]]);
    expect((await run(files, { limits: { maxTextChars: 10 } })).faults).toHaveLength(1);
    expect((await run([file("a.zip", zip(Object.fromEntries(files.map(({ path }, i) => [path, prose(`room-${i}`, 1)]))))], { limits: { maxDocuments: 4 } })).documents).toHaveLength(4);
  });
});

describe("archives", () => {
  it("give their folders to the names, one archive inside another too", async () => {
    const inner = zip({ "deep/letter.txt": prose("deep", 1) });
    const result = await run([file("notes.zip", zip({ "2024/march.txt": prose("march", 1), "2024/page.html": "<title>A page</title><p>It rained all day.</p>", "in.zip": inner, "in/again.zip": zip({ "x.zip": zip({ "y.txt": "too deep" }) }) }))]);
    expect(result.documents.map(({ name, source, format }) => [name, source, format])).toEqual([
      ["2024/march", "notes.zip/2024/march.txt", "text"],
      ["A page", "notes.zip/2024/page.html", "html"],
      ["deep/letter", "notes.zip/in.zip/deep/letter.txt", "text"],
    ]);
    expect(result.faults).toMatchObject([{ name: "x.zip", source: "notes.zip/in/again.zip/x.zip", code: "file/too-deep" }]);
  });

  it("lose only what is damaged in them, and name it", async () => {
    const bytes = zipSync({ "a.txt": [utf8("First went out."), { level: 0 }], "b.txt": [utf8("Second went out."), { level: 0 }], "c.png": strToU8("\x89PNG", true) });
    bytes[new TextDecoder("latin1").decode(bytes).indexOf("Second")] = 0x41;
    const result = await run([file("a.zip", bytes)]);
    expect(names(result)).toEqual(["a"]);
    expect(result.faults.map(({ name, code, message }) => [name, code, message.slice(0, 22)])).toEqual([["b.txt", "file/damaged", "“b.txt” is damaged: a "], ["c.png", "file/not-text", "“c.png” looks like a P"]]);
  });

  it("and folders are read without what systems and programs put there, in one line", async () => {
    const result = await run([file("a.zip", zip({ "__MACOSX/._a.txt": "x", ".DS_Store": "x", "node_modules/a/readme.md": "x", "a.txt": "One went out.", ".git/config": "x" })), file("folder/.hidden.txt", "x"), file("folder/~$letter.docx", "x"), file("folder/b.txt", "Two went out."), file(".hidden.txt", "Three went out, named by itself.")]);
    expect(names(result)).toEqual(["a", "folder/b", ".hidden"]);
    expect(result.leftOut).toEqual([expect.objectContaining({ name: "Hidden and system files", reason: "6 files were not looked at: hidden, or put there by a system or a program (such as .DS_Store, __MACOSX or node_modules)." })]);
    expect(result.faults).toEqual([]);
  });

  it("that overflow cost no other file, and no other entry", async () => {
    const MB = 1024 * 1024, limits = { baseInflatedBytes: 4 * MB };
    const bomb = zip(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.txt`, new Uint8Array(MB)])));
    expect(bomb.length).toBeLessThan(MB / 10);
    const big = zip({ "zeros.txt": new Uint8Array(8 * MB), "a.txt": "One went out." });
    const result = await run([file("bomb.zip", bomb), file("big.zip", big), file("b.txt", "Two went out.")], { limits });
    expect(names(result)).toEqual(["a", "b"]);
    const codes = result.faults.map(({ code }) => code);
    expect(codes.filter((code) => code === "file/too-large").length).toBeGreaterThan(20);
    expect(codes.at(-1)).toBe("file/too-large");
    expect(result.faults.find(({ code }) => code === "file/too-large")?.message).toMatch(/far larger than what it is packed into/);
  });

  it("in archives take no more than their share, and all together no more than the outermost has", async () => {
    const KB = 1024, limits = { baseInflatedBytes: 4096 * KB };
    const zeros = (kilobytes: number) => zip({ "zeros.txt": new Uint8Array(kilobytes * KB) });
    const greedy = await run([file("a.zip", zip({ "greedy.zip": zeros(4000), "letter.zip": zip({ "letter.txt": `One went out.${" ".repeat(900 * KB)}` }) }))], { limits });
    expect(names(greedy)).toEqual(["letter"]);
    expect(greedy.faults).toMatchObject([{ name: "zeros.txt", code: "file/too-large" }]);
    const many = await run([file("a.zip", zip(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`${i}.zip`, zeros(900)]))))], { limits });
    expect(new Set(many.faults.map(({ code }) => code))).toEqual(new Set(["file/binary", "file/too-large"]));
  });

  it("with too many entries are refused", async () => {
    const many = zip(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}.txt`, "x"])));
    expect((await run([file("a.zip", many)], { limits: { maxEntries: 20 } })).faults).toMatchObject([{ name: "a.zip", code: "file/too-large" }]);
  });
});

describe("hostile names", () => {
  const HOSTILE: readonly [given: string, shown: string][] = [
    ["../../../etc/passwd", "etc/passwd"],
    ["C:\\Windows\\..\\a.txt", "Windows/a"],
    ["/absolute/a.txt", "absolute/a"],
    ["a\u0000b\u0007\n\u202etxt.exe", "ab txt"],
    ["in/\u202e\u200b/\u202e.\u200b./x.txt", "in/x"],
    [`${"x".repeat(10_000)}.txt`, `${"x".repeat(115)}…`],
    [`${"very long folder/".repeat(600)}a.txt`, "very long folder/very long folder/very long folder/very long folder/very long folder/very long folder/a"],
    ["__proto__", "__proto__"],
    ["constructor/toString.txt", "constructor/toString"],
    ["<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert(1)>"],
    ["\ud800.txt", ".txt"],
    ["////", "Unnamed file"],
    ["", "Unnamed file"],
    ["..", "Unnamed file"],
  ];
  it.each(HOSTILE)("%j is shown as %j", async (given, shown) => {
    const text = `It rained, said ${given.length} of them.`;
    expect(names(await run([file(given, text)]))).toEqual([shown]);
    if (given === "" || given === "__proto__" || /[\\/]$|^\.\.$|\ud800/.test(given)) return; // no entry of an archive, or none that the writer of archives here takes
    const packed = await run([file("a.zip", zip({ [given]: text }))]);
    expect(packed.documents.map(({ name }) => name)).toEqual([shown]);
  });

  it("in data end as tidy names too", async () => {
    const rows = HOSTILE.map(([title], i) => ({ title: `${title} and more`, text: prose(`hostile-${i}`, 2) }));
    const result = await run([file("a.json", JSON.stringify(rows)), file("b.csv", `title,text\n"=cmd|' /C calc'!A0",${prose("csv", 1)}\n`)]);
    expect(result.documents).toHaveLength(HOSTILE.length + 1);
    for (const { name } of result.documents) expect(name).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}]{1,120}$/u);
  });

  it("are tidied whatever they are, and hide nothing", () => {
    const random = new Random("paths");
    const signs = ["/", "\\", ".", ":", "~", "$", "a", "b", " ", "\u0000", "\u202e", "\ud83d\udc4b", "\ud800", "…", "-", "..", "/../", "C:", "node"];
    for (let round = 0; round < 2_000; round++) {
      const path = Array.from({ length: random.int(40) }, () => random.pick(signs)).join("");
      expect(tidyPath(path)).toMatch(/^(?:[^\p{Cc}\p{Cf}\p{Cs}/\\]+(?:\/(?!$)|$))+$/u);
      expect(tidyPath(path).split("/")).not.toContain("..");
      expect(tidyPath(path).length).toBeLessThanOrEqual(240);
    }
    expect(["a/.git/b", "Thumbs.db", "x/__MACOSX/y", "a/.b"].map(isSystemPath)).toEqual([true, true, true, true]);
    expect(["./a", "../a", "a/b.c", "a.b/c", "...and so.txt".slice(3)].map(isSystemPath)).toEqual([false, false, false, false, false]);
  });
});

describe("long lines", () => {
  const N = 4_000_000;
  it.each<[string, string, string]>([
    ["words in text", "a.txt", "river went on ".repeat(N / 14)],
    ["words in Markdown", "a.md", "river went on ".repeat(N / 14)],
    ["words in JSON", "a.json", JSON.stringify({ text: "river went on ".repeat(N / 14) })],
    ["words in a page", "a.html", `<html>${"river went on ".repeat(N / 14)}`],
    ["line ends", "a.txt", `river${"\n".repeat(10 * N)}on`],
    ["marks", "a.txt", `river${"\u0301".repeat(3 * N)}`],
  ])("%s are read", async (_, name, text) => {
    const { documents, faults } = await run([file(name, text)]);
    expect(faults).toEqual([]);
    expect(documents[0]?.text.startsWith("rive")).toBe(true);
  });
});

it("gives no half of a character out", async () => {
  const { documents } = await run([file("a.json", '{"text": "It rained \\ud83d all day \\ud83d\\udc4b long, and \\u0000 the river rose."}')]);
  expect(documents[0]?.text).toBe("It rained  all day 👋 long, and  the river rose.");
});
