import { describe, expect, it } from "vitest";
import { readHtml } from "./html";
import { htmlToText, readPage } from "./html-text";
import { damaged, readDamaged, testContext } from "../testing/reading";

const LONG = "She went down to the river, where the old stone bridge had stood since before her mother was a child, and waited.";

describe("htmlToText", () => {
  it.each<[string, string, string]>([
    ["paragraphs", "<p>One\n two</p>  <p>three</p>", "One two\n\nthree"],
    ["paragraphs without end tags", "<p>One<p>two<P>three", "One\n\ntwo\n\nthree"],
    ["verse", "<p>The sea<br>\n is <i>calm</i> <br/>to-night.</p>", "The sea\nis calm\nto-night."],
    ["stanzas", "one<br>two<br><br>three<br>four<br><br><br>five", "one\ntwo\n\nthree\nfour\n\nfive"],
    ["a break at the end of a block", "<p>one<br></p><p>two</p>", "one\n\ntwo"],
    ["what is set as it is", "<pre>\n  one\n\n    two &lt;\n</pre>", "  one\n\n    two <"],
    ["what a style sets as it is", '<p style="color:red; white-space: pre-wrap">one\n  two</p>', "one\n  two"],
    ["a program's lines", "<p>one</p><pre><code>let x = 1;</code></pre><p>type <code>ls</code></p>", "one\n\ntype ls"],
    ["lists", "<ul><li>one<li>two <b>b</b></ul><ol><li><p>three</p></li><li>four<ul><li>five</li></ul></li></ol>", "one\ntwo b\n\nthree\nfour\nfive"],
    ["tables by rows", "<table><tr><th>a</th><th>b</th></tr><tr><td>1<td>2<tr><td>3</table>x", "a\tb\n1\t2\n3\n\nx"],
    ["headings", "<h1>Title</h1>text<h2>Part</h2>more", "Title\n\ntext\n\nPart\n\nmore"],
    ["entities", "&lt;p&gt; &amp;amp; caf&eacute; &#8220;q&#x201D; &nbsp;&hellip; &bogus; AT&T", "<p> &amp; café “q” \u00a0… &bogus; AT&T"],
    ["words that are cut by marks", "un<b>believ</b>able <i>x</i>y", "unbelievable xy"],
    ["lines in divs, as mail has them", "<div>Dear Ann,</div><div><br></div><div>one</div><div>two</div>", "Dear Ann,\n\none\ntwo"],
    ["paragraphs in divs", `<div>${LONG}</div><div>${LONG}</div><div>Yes.</div>`, `${LONG}\n\n${LONG}\n\nYes.`],
    ["quotations", "<p>He said <q>she said <q>no</q></q>.</p><blockquote>one</blockquote>", "He said “she said ‘no’”.\n\none"],
    ["changes of scene", "<hr><p>one</p><hr><hr/><p>two</p><hr>", "one\n\n* * *\n\ntwo"],
    ["numbers of notes", 'one<sup><a href="#1">1</a></sup> two<a href="#2"><sup>[2]</sup></a> the 1<sup>st</sup> <a href="/x">2<sup>nd</sup></a> m<sup>2</sup>', "one two the 1st 2nd m2"],
    ["lone end tags", "one</p>two</br>three</b></div></table>", "one\n\ntwo\nthree"],
    ["a letter's quoted mail", "<div>Yes.</div><div class=\"gmail_quote\"><div class=gmail_attr>On Monday Ann wrote:</div><blockquote>No?</blockquote></div><blockquote type=cite>Why</blockquote>", "Yes."],
    ["nothing", "", ""],
    ["no markup", "2 < 3 & 4 > 3", "2 < 3 & 4 > 3"],
  ])("reads %s", (_, html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it.each([
    "<script>document.write('no')</script>", "<style>p { no: no }</style>", "<!-- no -->", "<nav><ul><li>no</ul></nav>", "<nav><b>no</b>no<p>no</nav>", "<footer>no</footer>", "<header><h1>no</h1></header>", "<aside>no</aside>", "<noscript>no</noscript>", "<template><p>no</template>",
    "<button>no</button>", "<select><option>no<option>no</select>", "<textarea>no</textarea>", "<label>no</label>", "<iframe src=//x>no</iframe>", "<svg><text>no</text><path/></svg>", "<p hidden>no", '<div style="x:y;DISPLAY : none"><p>no</p></div>', "<div class='a comments b'><p>no</p></div>", "<ul id=menu><li>no</ul>",
    '<div role="navigation">no</div>', "<figure><figcaption>no</figcaption></figure>", "<ruby><rt>no</rt></ruby>", "<![CDATA[no]]>", "<span class=sr-only>no</span>", '<p><a role="doc-noteref" href="#n">no</a></p>', "<head><title>no</title></head>", '<input value="no"><img alt="no" src="http://x.invalid/no">', "<object><p>no</p></object>",
  ])("leaves out %s", (html) => {
    expect(htmlToText(`<p>yes</p>${html}<p>and yes</p>`)).toBe("yes\n\nand yes");
  });
});

describe("readPage", () => {
  const around = "<div>Latest posts</div><p>Ten things to know</p>";
  it.each<[string, string, string]>([
    ["an article that is most of it", `<body>${around}<article><header><h1>Head</h1><p>by Ann</p></header><p>${LONG}</p><footer>tags</footer></article>${around}`, `Head\n\n${LONG}`],
    ["several", `${around}<main><article><p>${LONG}</p></article><article>${LONG}</article></main>`, `${LONG}\n\n${LONG}`],
    ["the main part", `${around}<div role=main><article>short</article><p>${LONG}</p></div>`, `short\n\n${LONG}`],
    ["all of it, where the article is little", `<article>Teaser</article><p>${LONG}</p>`, `Teaser\n\n${LONG}`],
  ])("takes %s", (_, html, text) => {
    expect(readPage(html).text).toBe(text);
  });

  it("reads XHTML, in which elements may be closed at once", () => {
    const html = `<?xml version="1.0"?><html><head><title/><script src="x"/></head><body><a id="a"/><p>one<i/> two&nbsp;&mdash;</p><div/><p><![CDATA[a < b]]></p></body></html>`;
    expect(readPage(html)).toMatchObject({ text: "one two\u00a0—\n\na < b", title: null });
    // as HTML, where none of this is
    expect(readPage(html.slice(html.indexOf("<html>"))).text).toBe("one two\u00a0—");
  });
});

describe("readHtml", () => {
  const page = (head: string, words: string) => `<!DOCTYPE html><html><head>${head}<title> The\n river &amp; I </title></head><body><p>${words}</p></body></html>`;
  const read = (bytes: Uint8Array) => readHtml(bytes, testContext("a.html"));
  const latin = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
  const utf16 = (text: string) => Uint8Array.from([0xff, 0xfe, ...Array.from(text, (c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]).flat()]);

  it("names the writing by its title", async () => {
    const { extracts, leftOut } = await read(latin(page("", "words")));
    expect(extracts).toEqual([{ name: "The river & I", text: "words", form: "paragraphs", encoding: "utf-8" }]);
    expect(leftOut).toEqual([]);
  });

  it.each<[string, Uint8Array, string, string]>([
    ["UTF-8 without a declaration", new TextEncoder().encode(page("", "naïve “café” été")), "naïve “café” été", "utf-8"],
    ["UTF-8 with an old declaration", new TextEncoder().encode(page("<meta charset=iso-8859-1>", "naïve café")), "naïve café", "utf-8"],
    ["UTF-16 with a mark", utf16(page("<meta charset=utf-8>", "naïve „café“")), "naïve „café“", "utf-16le"],
    ["windows-1252", latin(page('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">', "\x93na\xefve\x94 caf\xe9 \x97 \x80")), "“naïve” café — €", "windows-1252"],
    ["windows-1251", latin(page("<meta charset='windows-1251'>", "\xcf\xf0\xe8\xe2\xe5\xf2")), "Привет", "windows-1251"],
    ["Shift_JIS", latin(page("<!-- saved --><meta charset=shift_jis>", "\x93\xfa\x96\x7b")), "日本", "shift_jis"],
    ["ISO-2022-JP, which is ASCII to look at", latin(page("<meta charset=iso-2022-jp>", "\x1b$BF|K\\\x1b(B")), "日本", "iso-2022-jp"],
  ])("reads %s", async (_, bytes, words, encoding) => {
    expect((await read(bytes)).extracts[0]).toMatchObject({ text: words, encoding });
  });

  it("refuses a page without words, and one in letters that it does not know", async () => {
    await expect(read(latin(page("", " <img src=x> ")))).rejects.toMatchObject({ code: "file/empty" });
    await expect(read(latin(page("<meta charset=unheard-of>", "\xcf\xf0\xe8\xe2\xe5\xf2 ".repeat(9))))).rejects.toMatchObject({ code: "file/encoding" });
  });

  it("reads or refuses what is damaged", async () => {
    const whole = new TextEncoder().encode(page("<meta charset=utf-8><style>p { a: b }</style>", `${LONG}</p><table><tr><td>“naïve”</table><ul><li>caf&eacute;</ul><pre>a\n b</pre><p>`));
    const { read: count } = await readDamaged(readHtml, damaged(whole, "html", 300));
    expect(count).toBeGreaterThan(50);
  });
});

/** On each, a parser that searches or copies what is open takes minutes; one that recurses overflows. */
describe("what is made to be slow", () => {
  const N = 300_000;
  it.each<[string, string, string]>([
    ["deep nesting", `${"<div>".repeat(100_000)}x${"</b>".repeat(100_000)}`, "x"],
    ["deep nesting, closed", `${"<b><i>".repeat(100_000)}x${"</i></b>".repeat(100_000)}y`, "xy"],
    ["deep nesting of what is left out", `${"<nav>".repeat(N)}x${"</nav>".repeat(N)}y`, "y"],
    ["pictures that are not closed", `${"<b><svg></b>".repeat(N)}x`, "x"],
    ["formulas that are not closed", `${"<p><mi></p>".repeat(N)}x`, "x"],
    ["end tags of nothing", `${"<b>".repeat(50_000)}${"</i>".repeat(N)}x`, "x"],
    ["attributes", `<p ${"a=1 b ".repeat(N)}>x`, "x"],
    ["a class of many names", `<p class="${"a ".repeat(N)}">x`, "x"],
    ["a style of many spaces", `<p style="${" ;".repeat(N)}${" ".repeat(N)}">x`, "x"],
    ["spaces", `<p>${" ".repeat(N)}x${" ".repeat(N)}`, "x"],
    ["spaces set as they are", `<pre>x${" ".repeat(N)}</pre>y`, "x\n\ny"],
    ["empty lines", `<pre>${"\n".repeat(N)}x</pre>`, "x"],
    ["breaks", `${"<br>".repeat(N)}x`, "x"],
    ["changes of scene", `${"<hr>".repeat(N)}x${"<hr>".repeat(N)}`, "x"],
    ["notes' numbers", `${'<a href="#"><sup>1'.repeat(N / 3)}</sup></a>x`, `${"1".repeat(N / 3 - 1)}x`],
    ["a comment without an end", `x${"<!--".repeat(N)}`, "x"],
    ["a script without an end", `x<script>${"</".repeat(N)}`, "x"],
    ["ampersands", "&".repeat(N), "&".repeat(N)],
    ["less-than signs", "<".repeat(N), "<".repeat(N)],
    ["quotation marks in a tag", `x<p ${'"'.repeat(N)}`, "x"],
  ])("%s", (_, html, text) => {
    expect(htmlToText(html) === text).toBe(true); // not toBe, which would print all of it
  });
});
