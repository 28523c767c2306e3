import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { readDocx } from "./docx";
import { codeOf, damaged, otherSoftwares, readDamaged, testContext, whatItHolds, zipOf } from "../testing/reading";

const W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml"';
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const document = (body: string) => `${XML}<w:document ${W}><w:body>${body}<w:sectPr/></w:body></w:document>`;
const NUMBERING = `<w:numbering ${W}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>`;
const STYLES = `<w:styles ${W}>${[["Heading1", "heading 1"], ["TOC1", "toc 1"]].map(([id, name]) => `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/></w:style>`).join("")}</w:styles>`;
const docx = (main: string, more: Record<string, string> = {}, target = "word/document.xml") =>
  zipOf({
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="${RELATIONS}/officeDocument" Target="${target}"/></Relationships>`,
    "word/numbering.xml": NUMBERING,
    "word/styles.xml": STYLES,
    [target]: main,
    ...more,
  });
const read = (bytes: Uint8Array) => readDocx(bytes, testContext("letter.docx"));
const textOf = async (body: string) => (await read(docx(document(body)))).extracts[0]?.text;
const r = (text: string, properties = "") => `<w:r>${properties && `<w:rPr>${properties}</w:rPr>`}<w:t xml:space="preserve">${text}</w:t></w:r>`;
const p = (inner: string, properties = "") => `<w:p>${properties && `<w:pPr>${properties}</w:pPr>`}${inner}</w:p>`;
const item = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>';

it("reads python-docx's document to what python-docx reads in it, without head, foot and comment", async () => {
  const { extracts, leftOut } = await read(otherSoftwares("river.docx"));
  const text = extracts[0]?.text ?? "";
  expect(extracts).toHaveLength(1);
  expect(text.split(/\n\n|\n/)).toEqual(whatItHolds.docx.flatMap((paragraph) => paragraph.split("\n")));
  expect(text).toContain("worth of stories.\n\nNothing had");
  expect(text).toContain("burning still.\n\na lantern\ntwo kettles\n\nMonday\train\nTuesday\tsnow");
  expect(leftOut).toEqual([]);
});

describe("reads", () => {
  it.each<[string, string, string]>([
    ["runs of one word", p(r("un") + r("believ", "<w:b/>") + r("able &amp; so")), "unbelievable & so"],
    ["line ends of all kinds", p(`${r("one")}<w:r><w:br/></w:r>${r("two")}<w:r><w:cr/></w:r>${r("three")}<w:r><w:tab/></w:r>${r("four")}`), "one\ntwo\nthree\tfour"],
    ["verse whose lines are paragraphs", ["one", "two", "", "three", "four"].map((line) => p(line && r(line))).join(""), "one\ntwo\n\nthree\nfour"],
    ["a list", p(r("things:")) + p(r("one"), item) + p(r("two"), item) + p(r("after")), "things:\n\none\ntwo\n\nafter"],
    ["a numbered heading, which is no list", p(r("one"), `<w:pStyle w:val="Heading1"/>${item}`) + p(r("two"), `<w:pStyle w:val="Heading1"/>${item}`), "one\n\ntwo"],
    ["tables in tables", `<w:tbl><w:tr><w:tc>${p(r("a"))}${p(r("b"))}</w:tc><w:tc><w:tbl><w:tr><w:tc>${p(r("c"))}</w:tc></w:tr></w:tbl>${p("")}</w:tc></w:tr><w:tr><w:tc>${p(r("d"))}</w:tc></w:tr></w:tbl>`, "a\nb\tc\nd"],
    ["tracked changes as they were accepted", p(`${r("one ")}<w:del><w:r><w:delText>gone </w:delText></w:r></w:del><w:ins>${r("two")}</w:ins><w:moveFrom>${r("gone")}</w:moveFrom><w:moveTo>${r(" three")}</w:moveTo>`), "one two three"],
    ["a paragraph whose end was deleted with the next", p(r("one "), "<w:rPr><w:del/></w:rPr>") + p(r("two")), "one two"],
    ["a text box after its paragraph", p(`${r("one")}<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing/></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox><w:txbxContent>${p(r("boxed"))}</w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>`) + p(r("two")), "one\n\nboxed\n\ntwo"],
    ["a text box in an object", p(`${r("one")}<w:r><w:object><v:shape><v:textbox><w:txbxContent>${p(r("boxed"))}</w:txbxContent></v:textbox></v:shape></w:object></w:r>${r(" two")}`), "one two\n\nboxed"],
    ["a link made of fields", p(`<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "http://x.invalid"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>${r("link")}<w:r><w:fldChar w:fldCharType="end"/></w:r>`), "link"],
    ["what stands in content controls", `<w:sdt><w:sdtContent>${p(r("one"))}</w:sdtContent></w:sdt>`, "one"],
    ["no table of contents", p(r("Chapter 1 ... 5"), '<w:pStyle w:val="TOC1"/>') + p(r("one")), "one"],
    ["symbols", p('<w:r><w:sym w:font="Wingdings" w:char="F0E0"/><w:noBreakHyphen/></w:r>'), "🡪\u2011"],
  ])("%s", async (_, body, text) => {
    expect(await textOf(body)).toBe(text);
  });

  it("and says how many notes it leaves", async () => {
    const main = document(p(`${r("one")}<w:r><w:footnoteReference w:id="2"/></w:r>${r(" two")}<w:r><w:endnoteReference w:id="2"/></w:r><w:r><w:commentReference w:id="1"/></w:r>`));
    const note = (kind: string) => `<w:${kind}s ${W}><w:${kind} w:id="2">${p(r("a note"))}</w:${kind}></w:${kind}s>`;
    expect(await read(docx(main, { "word/footnotes.xml": note("footnote"), "word/endnotes.xml": note("endnote"), "word/comments.xml": note("comment"), "word/header1.xml": `<w:hdr ${W}>${p(r("head"))}</w:hdr>` }))).toEqual({
      extracts: [{ name: null, text: "one two", form: "paragraphs" }],
      leftOut: [{ name: "letter.docx", reason: "Its 2 notes are not taken: they stand apart from the text." }],
    });
  });

  it("a main part with another name, and parts in UTF-16", async () => {
    expect((await read(docx(document(p(r("words"))), {}, "word/document2.xml"))).extracts[0]?.text).toBe("words");
    const parts = unzipSync(docx(""));
    const utf16 = document(p(r("“words”"))).replace("UTF-8", "UTF-16");
    parts["word/document.xml"] = Uint8Array.from([0xff, 0xfe, ...Array.from(utf16, (c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]).flat()]);
    expect((await read(zipSync(parts))).extracts[0]?.text).toBe("“words”");
  });

  it("only the parts that it needs", async () => {
    const context = testContext("letter.docx");
    const bytes = docx(document(p(r("words"))), { "word/media/image1.png": "x".repeat(100_000), "word/footnotes.xml": "not even XML", "customXml/item1.xml": "x".repeat(100_000) });
    expect((await readDocx(bytes, context)).extracts[0]?.text).toBe("words");
    expect(context.taken.bytes).toBeLessThan(5000);
  });
});

describe("refuses", () => {
  const many = (count: number, make: (i: number) => string) => Array.from({ length: count }, (_, i) => make(i)).join("");
  it.each<[string, Uint8Array, string, RegExp?]>([
    ["an archive of other things", zipOf({ "a.txt": "words" }), "file/damaged"],
    ["a document without its text", docx("<w:document/>"), "file/damaged"],
    ["one without words", docx(document(p(""))), "file/empty"],
    ["XML that is none", docx("<w:document <<<"), "file/damaged"],
    ["entities that would grow", docx(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${document(p(r("&b;")))}`), "file/damaged", /type declaration/],
    ["entities from outside", docx(document(p(r("words"))), { "word/styles.xml": `<!DOCTYPE x SYSTEM "file:///etc/passwd">${STYLES}` }), "file/damaged", /type declaration/],
    ["deep nesting", docx(document("<w:ins>".repeat(100_000))), "file/damaged", /too deeply/],
    ["a text box in a text box in a text box", docx(document("<w:p><w:r><w:pict><v:textbox><w:txbxContent>".repeat(1000))), "file/damaged", /too deeply/],
    ["unknown elements without number", docx(document(p(many(20_000, (i) => `<w:x${i}/>`)))), "file/damaged", /different elements/],
    ["unknown styles without number", docx(document(many(20_000, (i) => p(r("a"), `<w:pStyle w:val="s${i}"/>`)))), "file/damaged", /different elements/],
    ["fields without end", docx(document(p(many(20_000, () => '<w:r><w:fldChar w:fldCharType="begin"/></w:r>')))), "file/damaged", /fields/],
    ["more text than fits", docx(document(p(r(" ".repeat(25 * 1024 * 1024))))), "file/too-large"],
  ])("%s", async (_, bytes, code, details) => {
    // by our own look, before mammoth's, which takes long or overflows
    await expect(read(bytes)).rejects.toMatchObject({ name: "DuctusError", code, ...(details === undefined ? {} : { details: expect.stringMatching(details) as string }) });
  });

  it("a bomb, before mammoth sees it", async () => {
    const context = testContext("letter.docx", { bytes: 1_000_000 });
    expect(await codeOf(() => readDocx(docx(document(p(r("a".repeat(3_000_000))))), context))).toBe("file/too-large");
  });

  it("damage, or reads it", async () => {
    const parts = unzipSync(otherSoftwares("river.docx"));
    // the styles are nine tenths of it, and take mammoth as long
    const small = zipSync({ ...parts, "word/styles.xml": strToU8(STYLES), "word/stylesWithEffects.xml": strToU8("") }, { mtime: "2020-01-02" });
    expect(strFromU8(parts["word/document.xml"] as Uint8Array)).toContain("lantern");
    const count = await readDamaged(readDocx, damaged(small, "docx", process.env["DUCTUS_LONG"] === "1" ? 600 : 100));
    expect(count.refused).toBeGreaterThan(100);
    expect(count.read).toBeGreaterThan(10);
  });
});
