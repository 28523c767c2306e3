import { describe, expect, it } from "vitest";
import { readEpub } from "./epub";
import { resolvePath } from "./epub-package";
import { codeOf, damaged, otherSoftwares, readDamaged, testContext, whatItHolds, zipOf } from "../testing/reading";

interface Page {
  path: string;
  body: string;
  /** Of the item in the manifest, the reference in the spine, the body. */
  item?: string;
  itemref?: string;
  attributes?: string;
}

const container = (path: string) => `<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="${path}" media-type="application/oebps-package+xml"/></rootfiles></container>`;
const escape = (path: string) => path.replaceAll("&", "&amp;");

/** A book whose package lies in the folder OEBPS; paths are relative to it. */
function book(pages: readonly Page[], more: { guide?: string; title?: string; files?: Record<string, string> } = {}): Uint8Array {
  const manifest = pages.map(({ path, item = "" }, i) => `<opf:item id="p${i}" href="${escape(encodeURI(path))}" media-type="application/xhtml+xml" ${item}/>`).join("");
  const spine = pages.map(({ itemref = "" }, i) => `<opf:itemref idref="p${i}" ${itemref}/>`).join("");
  return zipOf({
    mimetype: "application/epub+zip",
    "META-INF/container.xml": container("OEBPS/book.opf"),
    "OEBPS/book.opf": `<?xml version="1.0"?><opf:package xmlns:opf="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/" version="3.0"><opf:metadata><dc:title>${more.title ?? "The book"}</dc:title><dc:title>Second</dc:title></opf:metadata><opf:manifest>${manifest}<opf:item id="css" href="a.css" media-type="text/css"/></opf:manifest><opf:spine>${spine}<opf:itemref idref="css"/><opf:itemref idref="none"/></opf:spine><opf:guide>${more.guide ?? ""}</opf:guide></opf:package>`,
    ...Object.fromEntries(pages.map(({ path, body, attributes = "" }) => [path.startsWith("../") ? path.slice(3) : `OEBPS/${path}`, `<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>x</title></head><body ${attributes}>${body}</body></html>`])),
    ...more.files,
  });
}

const read = (bytes: Uint8Array) => readEpub(bytes, testContext("book.epub"));
const one: Page = { path: "1.xhtml", body: "<h1>One</h1><p>words</p>" };
const two: Page = { path: "2.xhtml", body: '<h1>Two</h1><p>more<a id="x"/> words</p>' };
const TEXT = "One\n\nwords\n\nTwo\n\nmore words";

it("reads EbookLib's book", async () => {
  const { extracts, leftOut } = await read(otherSoftwares("river.epub"));
  expect(extracts).toEqual([{ name: whatItHolds.title, text: whatItHolds.epub.join("\n\n"), form: "paragraphs" }]);
  expect(leftOut.map(({ reason }) => reason)).toEqual(["It is the table of contents, not the writing itself."]);
});

describe("reads", () => {
  it("the chapters in reading order, once each, under the title", async () => {
    expect(await read(book([one, two], { title: " A &amp; B\n" }))).toEqual({ extracts: [{ name: "A & B", text: TEXT, form: "paragraphs" }], leftOut: [] });
  });

  it("paths in other folders, with spaces and other letters, and no others", async () => {
    const pages = [{ ...one, path: "text/1 é&.xhtml" }, { ...two, path: "../2.xhtml" }];
    expect((await read(book(pages))).extracts[0]?.text).toBe(TEXT);
  });

  it.each<[string, Page, string | null]>([
    ["a cover by its type", { ...one, path: "c.xhtml", attributes: 'epub:type="cover"' }, "the cover"],
    ["contents by their section", { path: "toc.xhtml", body: '<section epub:type="toc"><h1>Contents</h1><p>1</p></section>' }, "the table of contents"],
    ["contents by the manifest", { path: "nav.xhtml", body: "<nav><ol><li>One</li></ol></nav>", item: 'properties="scripted nav"' }, "the table of contents"],
    ["contents by their links", { path: "c.xhtml", body: `<h1>List</h1>${"<p><a href='1.xhtml'>A chapter's name</a></p>".repeat(6)}` }, "the table of contents"],
    ["a copyright page by its type", { ...one, path: "c.xhtml", attributes: 'epub:type="frontmatter copyright-page"' }, "the copyright page"],
    ["a copyright page by its words", { path: "c.xhtml", body: "<p>© 2020 Ann Writer</p><p>All rights reserved. ISBN 978-3-16-148410-0</p>" }, "the copyright page"],
    ["notes", { path: "n.xhtml", body: '<section role="doc-endnotes"><p>a note</p></section>' }, "the notes"],
    ["a page outside the reading order", { ...one, path: "o.xhtml", itemref: 'linear="no"' }, "It stands outside the book's reading order."],
    ["a picture", { path: "p.xhtml", body: '<img src="cover.jpg" alt="no"/><svg><image/><text>no</text></svg>' }, null],
  ])("no %s", async (_, page, what) => {
    const { extracts, leftOut } = await read(book([page, one, two]));
    expect(extracts[0]?.text).toBe(TEXT);
    expect(leftOut.map(({ reason }) => reason)).toEqual(what === null ? [] : [what.includes(" stands ") ? what : `It is ${what}, not the writing itself.`]);
    for (const { name } of leftOut) expect(name).toBe(`The book: ${page.path}`);
  });

  it("no title page, as EPUB 2's guide and EPUB 3's landmarks have it", async () => {
    const title = { path: "t.xhtml", body: "<h1>The book</h1><p>by Ann</p>" };
    const reference = (type: string, href: string) => `<opf:reference type="${type}" href="${href}"/>`;
    expect((await read(book([title, one, two], { guide: reference("title-page", "t.xhtml") + reference("text", "1.xhtml") + reference("toc", "2.xhtml#toc") }))).extracts[0]?.text).toBe(TEXT);
    const nav = { path: "nav.xhtml", item: 'properties="nav"', body: '<nav epub:type="landmarks"><ol><li><a epub:type="titlepage" href="./t.xhtml">T</a></li><li><a epub:type="cover" href="1.xhtml#top">T</a></li></ol></nav>' };
    expect((await read(book([nav, title, one, two]))).extracts[0]?.text).toBe(TEXT);
  });

  it("a preface, a dedication, and a story about copyright", async () => {
    const pages = [{ path: "d.xhtml", body: "<p>For Bob</p>", attributes: 'epub:type="dedication"' }, { path: "p.xhtml", body: "<p>I thank the copyright office.</p>", attributes: 'epub:type="preface"' }];
    expect((await read(book([...pages, one]))).extracts[0]?.text).toBe("For Bob\n\nI thank the copyright office.\n\nOne\n\nwords");
  });

  it("a book in one file, which begins with its cover", async () => {
    const body = `<div epub:type="cover">Cover</div>${"<p>words and more words in a long book</p>".repeat(600)}`;
    expect((await read(book([{ path: "all.xhtml", body }]))).extracts[0]?.text.startsWith("Cover\n\nwords and")).toBe(true);
  });

  it("what is there of a book that misses a chapter", async () => {
    const { extracts, leftOut } = await read(book([one, { ...two, path: "../../../etc/passwd" }, two]));
    expect(extracts[0]?.text).toBe(TEXT);
    expect(leftOut).toEqual([]);
    const opf = '<package><metadata/><manifest><item id="a" href="a.html" media-type="text/html"/><item id="b" href="b.html" media-type="text/html"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>';
    expect(await read(zipOf({ "META-INF/container.xml": container("book.opf"), "book.opf": opf, "b.html": "<p>words" }))).toEqual({
      extracts: [{ name: null, text: "words", form: "paragraphs" }],
      leftOut: [{ name: "book.epub: a.html", reason: "It is missing from the book's file." }],
    });
  });
});

describe("refuses", () => {
  const lock = (path: string) => ({
    "META-INF/encryption.xml": `<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/><enc:CipherData><enc:CipherReference URI="${path}"/></enc:CipherData></enc:EncryptedData></encryption>`,
  });
  it.each<[string, Uint8Array, string]>([
    ["a book that a shop has locked", book([one, two], { files: lock("OEBPS/2.xhtml") }), "file/encrypted"],
    ["one without a list of chapters", zipOf({ "META-INF/container.xml": container("book.opf") }), "file/damaged"],
    ["one whose list lies outside", zipOf({ "META-INF/container.xml": container("../book.opf"), "book.opf": "<package/>" }), "file/damaged"],
    ["one without chapters", book([]), "file/damaged"],
    ["one without words", book([{ path: "1.xhtml", body: "<img/>" }]), "file/empty"],
    ["an archive of other things", zipOf({ "a.txt": "words" }), "file/damaged"],
  ])("%s", async (_, bytes, code) => {
    expect(await codeOf(() => read(bytes))).toBe(code);
  });

  it("no book for its locked fonts", async () => {
    expect((await read(book([one, two], { files: lock("OEBPS/font.otf") }))).extracts[0]?.text).toBe(TEXT);
  });

  it("damage, or reads it", async () => {
    const count = await readDamaged(readEpub, damaged(otherSoftwares("river.epub"), "epub"));
    expect(count.refused).toBeGreaterThan(100);
    expect(count.read).toBeGreaterThan(10);
  });
});

it("stands a list of very many chapters, and one of very deep nesting", async () => {
  const refs = "<itemref idref='a'/>".repeat(100_000), deep = "<x>".repeat(100_000);
  const opf = `<package><metadata><title>T</title></metadata><manifest><item id="a" href="a.html" media-type="text/html"/></manifest><spine>${refs}</spine>${deep}</package>`;
  expect((await read(zipOf({ "META-INF/container.xml": container("book.opf"), "book.opf": opf, "a.html": `${deep}words` }))).extracts[0]?.text).toBe("words");
});

describe("resolvePath", () => {
  it.each<[string, string, string | null]>([
    ["OEBPS/book.opf", "text/1.xhtml#a", "OEBPS/text/1.xhtml"],
    ["OEBPS/book.opf", "../a%20b/./c.xhtml?x", "a b/c.xhtml"],
    ["OEBPS/book.opf", "/a.xhtml", "a.xhtml"],
    ["OEBPS/book.opf", "../../a.xhtml", null],
    ["book.opf", "%2e%2e/a.xhtml", null],
    ["book.opf", "http://x.invalid/a", null],
    ["book.opf", "//x.invalid/a", null],
    ["book.opf", "javascript:a", null],
    ["book.opf", "#a", null],
    ["book.opf", "100%.xhtml", "100%.xhtml"],
    ["a/book.opf", "..", null],
  ])("from %s to %s", (from, href, path) => {
    expect(resolvePath(from, href)).toBe(path);
  });
});
