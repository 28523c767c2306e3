import { describe, expect, it } from "vitest";
import { readOdt } from "./odt";
import { codeOf, damaged, otherSoftwares, readDamaged, testContext, whatItHolds, zipOf } from "../testing/reading";

const NAMES = ["office", "text", "table", "draw", "style"].map((name) => `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`).join(" ");
const content = (body: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<office:document-content ${NAMES}><office:automatic-styles><style:style style:name="P1"/>not this</office:automatic-styles><office:body><office:text>${body}</office:text></office:body></office:document-content>`;
const odt = (body: string, more: Record<string, string> = {}) => zipOf({ mimetype: "application/vnd.oasis.opendocument.text", "content.xml": content(body), ...more });
const read = (bytes: Uint8Array) => readOdt(bytes, testContext("letter.odt"));
const textOf = async (body: string) => (await read(odt(body))).extracts[0]?.text;
const p = (text: string) => `<text:p text:style-name="P1">${text}</text:p>`;

it("reads odfpy's document to what odfpy reads in it, without its note and annotation", async () => {
  const { extracts, leftOut } = await read(otherSoftwares("river.odt"));
  const lines = (text: string) => text.split(/\n\n|\t|\n/);
  expect(extracts).toHaveLength(1);
  expect(lines(extracts[0]?.text ?? "")).toEqual(whatItHolds.odt.flatMap(lines));
  expect(extracts[0]).toMatchObject({ name: null, form: "paragraphs" });
  expect(extracts[0]?.text).toContain("\n\na lantern\ntwo kettles\n\nMonday\train\nTuesday\tsnow\n\nTwo   spaces\tand a tab");
  expect(leftOut).toEqual([{ name: "letter.odt", reason: "Its note is not taken: it stands apart from the text." }]);
});

describe("reads", () => {
  it.each<[string, string, string]>([
    ["white space, which collapses across elements", p(' one <text:span> two</text:span>\n<text:span>three </text:span> <text:s text:c="2"/>four<text:s/>'), "one two three   four"],
    ["spaces beyond number", p('a<text:s text:c="99999999999"/>b<text:s text:c="-1"/>c<text:s text:c="x"/>d'), `a${" ".repeat(100)}b c d`],
    ["line ends", p("one<text:line-break/>two<text:line-break/> three"), "one\ntwo\nthree"],
    ["verse whose lines are paragraphs", ["one", "two", "", "three", "four"].map(p).join(""), "one\ntwo\n\nthree\nfour"],
    ["lists in lists", `<text:list><text:list-header>${p("things")}</text:list-header><text:list-item>${p("one")}<text:list><text:list-item>${p("two")}</text:list-item></text:list></text:list-item><text:list-item>${p("three")}</text:list-item></text:list>${p("after")}`, "things\none\ntwo\nthree\n\nafter"],
    ["a table in a table, and a list", `<table:table><table:table-row><table:table-cell>${p("a")}${p("b")}</table:table-cell><table:covered-table-cell/><table:table-cell><table:table><table:table-row><table:table-cell>${p("c")}</table:table-cell></table:table-row></table:table></table:table-cell></table:table-row><table:table-row><table:table-cell><text:list><text:list-item>${p("d")}</text:list-item></text:list></table:table-cell></table:table-row></table:table>`, "a\nb\tc\nd"],
    ["a text box after the paragraph that it stands in", p(`one <draw:frame><draw:text-box>${p("boxed")}</draw:text-box></draw:frame>two`) + p("three"), "one two\n\nboxed\n\nthree"],
    ["entities", p("&lt;a&gt; &amp;amp; &#233;&#x2014;&quot;"), '<a> &amp; é—"'],
    ["links and marks", p('a <text:a>link</text:a><text:bookmark text:name="x"/>, <text:span>bo</text:span>ld'), "a link, bold"],
    ["what was inserted", p('one<text:change-start text:change-id="1"/> two<text:change-end text:change-id="1"/>'), "one two"],
  ])("%s", async (_, body, text) => {
    expect(await textOf(body)).toBe(text);
  });

  it.each([
    `<text:tracked-changes><text:changed-region><text:deletion>${p("no")}</text:deletion></text:changed-region></text:tracked-changes>`, `<text:table-of-content><text:index-body>${p("no")}</text:index-body></text:table-of-content>`,
    `<text:section text:display="none">${p("no")}</text:section>`, `<office:forms>${p("no")}</office:forms>`, p("<draw:frame><svg:title>no</svg:title><svg:desc>no</svg:desc></draw:frame>"), p("<office:annotation><dc:creator>no</dc:creator><text:p>no</text:p></office:annotation>"), p("<text:ruby><text:ruby-text>no</text:ruby-text></text:ruby>"), "no",
  ])("nothing of %s", async (body) => {
    expect(await textOf(`${p("yes")}${body}${p("and yes")}`)).toBe("yes\n\nand yes");
  });
});

describe("refuses", () => {
  const manifest = (inner: string) => ({ "META-INF/manifest.xml": `<manifest:manifest><manifest:file-entry manifest:full-path="content.xml">${inner}</manifest:file-entry></manifest:manifest>` });
  it.each<[string, Uint8Array, string]>([
    ["a document with a password", odt(p("words"), manifest("<manifest:encryption-data/>")), "file/encrypted"],
    ["one that is locked as a whole", zipOf({ "encrypted-package": "x" }), "file/encrypted"],
    ["one without its text", zipOf({ "META-INF/manifest.xml": "<x/>" }), "file/damaged"],
    ["one of another kind", zipOf({ "content.xml": "<office:spreadsheet/>" }), "file/damaged"],
    ["one without words", odt(p(" ")), "file/empty"],
    ["entities that would grow", zipOf({ "content.xml": `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${content(p("&b;"))}` }), "file/damaged"],
    ["tables in tables without end", odt("<table:table><table:table-row><table:table-cell>".repeat(50_000) + p("x")), "file/damaged"],
  ])("%s", async (_, bytes, code) => {
    expect(await codeOf(() => read(bytes))).toBe(code);
  });

  it("reads what is not encrypted for all its manifest says", async () => {
    expect((await read(odt(p("words"), manifest("")))).extracts[0]?.text).toBe("words");
  });

  it("damage, or reads it", async () => {
    const count = await readDamaged(readOdt, damaged(otherSoftwares("river.odt"), "odt"));
    expect(count.refused).toBeGreaterThan(100);
    expect(count.read).toBeGreaterThan(10);
  });
});

describe("what is made to be slow", () => {
  const N = 100_000;
  it.each<[string, string, string]>([
    ["spans in spans", p(`${"<text:span>".repeat(N)}x${"</text:span>".repeat(N)}`), "x"],
    ["lists in lists", `${"<text:list><text:list-item>".repeat(N)}${p("x")}${p("y")}`, "x\ny"],
    ["text boxes in text boxes", `${"<text:p>a<draw:text-box>".repeat(N)}x`, "a"],
    ["many spaces", p(`${" ".repeat(N)}x${"<text:s/> ".repeat(3)}`), "x"],
  ])("%s", async (_, body, begins) => {
    expect((await textOf(body))?.startsWith(begins)).toBe(true);
  });
});
