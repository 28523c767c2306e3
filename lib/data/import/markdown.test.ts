import { describe, expect, it } from "vitest";
import { readMarkdown } from "./markdown";
import { cutMarkdown } from "./markdown-blocks";
import { damaged, readDamaged, testContext } from "../testing/reading";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => readMarkdown(bytes(text), testContext("notes.md"));
const textOf = async (text: string) => (await read(text)).extracts[0]?.text;

describe("reads", () => {
  it.each<[string, string, string]>([
    ["headings", "# One\n\nwords\n\nTwo\n---\nmore\n### Three ###\nend", "One\n\nwords\n\nTwo\n\nmore\n\nThree\n\nend"],
    ["emphasis and code", "*a* _b_ **c** __d__ ***e*** ~~f~~ `g` snake_case 2 * 3 * 4 ~5 to ~6", "a b c d e f g snake_case 2 * 3 * 4 ~5 to ~6"],
    ["links", "[a](http://x), [*b*][r], [c][], [d], <http://e.org>, ![no](i.png)f\n\n[r]: http://x\n[c]: http://x 'T'", "a, b, c, [d], http://e.org, f"],
    ["links whose addresses stand elsewhere", `*see* [a][r]\n\n${"words and words\n\n".repeat(400)}[R]: <http://x>`, `see a\n\n${"words and words\n\n".repeat(400)}`.trimEnd()],
    ["escapes and entities", "\\*a\\* &amp; &eacute; 1\\. b", "*a* & é 1. b"],
    ["verse", "The sea is *calm*\nto-night,  \nThe tide is full\\\nthe moon", "The sea is calm\nto-night,\nThe tide is full\nthe moon"],
    ["verse without a mark", "The sea is calm to-night,\nThe tide is full,\n\nthe moon lies fair", "The sea is calm to-night,\nThe tide is full,\n\nthe moon lies fair"],
    ["indented verse, which is no code", "One\n\n    The sea is calm,\n      the tide is full.\n\nTwo", "One\n\nThe sea is calm,\n  the tide is full.\n\nTwo"],
    ["quotations", "> one *two*\n> three\n>> four\n\nfive", "one two\nthree\n\nfour\n\nfive"],
    ["lists", "- one\n* two\n  - three\n\n1. four\n2. five", "- one\n\n- two\n- three\n\n1. four\n2. five"],
    ["loose lists", "- one\n\n- two\n\n  and more", "- one\n\n- two\n\nand more"],
    ["a year that begins a line", "1986. A good year.", "1986. A good year."],
    ["tasks", "- [ ] one\n- [x] *two*\n- [-] three", "- one\n- two\n- three"],
    ["tables", "| a | *b* |\n|---|--:|\n| 1 | 2 |\n| 3 |   |\n\nafter", "a\tb\n1\t2\n3\n\nafter"],
    ["rules as they are, since they tell pieces from scenes", "one\n\n---\n\ntwo\n\n* * *\n\nthree", "one\n\n---\n\ntwo\n\n***\n\nthree"],
    ["HTML", "<p align=center>one <b>two</b></p>\n\nthree <i>four</i><br>five <!-- no -->\n\n<!-- no\n\nno -->\n\n<script>\nno\n\nno\n</script>\n\n<details><summary>six</summary>\n\n*seven*\n</details>", "one two\n\nthree four\nfive\n\nsix\n\nseven"],
    ["no code", "one\n\n```js\nno\n\nno\n```\n\ntwo\n\n~~~\nno\n~~~\nthree\n\n    if (a[0] == b) { c = d(); }", "one\n\ntwo\n\nthree"],
    ["what follows a fence without an end", "one\n\n```\ntwo\n\nthree *four*", "one\n\ntwo\n\nthree four"],
    ["what follows a comment without an end", "one\n\n<!-- two\n\nthree *four*", "one\n\n two\n\nthree four".replace(" two", "two")],
    ["no notes", "one[^1] two[^b]\n\n[^1]: no\n\nthree\n\n[^b]: no\n    no", "one two\n\nthree"],
    ["no front matter", "---\ntitle: no\ntags:\n  - no\n---\none", "one"],
    ["no front matter in TOML", "+++\ntitle = 'no'\n+++\n\none", "one"],
    ["a rule at its beginning", "---\n\nOne, she said: two.\n\n---\n\nthree", "---\n\nOne, she said: two.\n\n---\n\nthree"],
    ["Obsidian's links", "See [[Note]], [[Note|the *note*]], [[Note#Part]] and [[a_b_c]]. ![[no.png]]", "See Note, the note, Note and a_b_c."],
    ["Obsidian's marks", "A ==bright== day.%% no %% ^id-1\n\n> [!warning]- Take care\n> of it", "A bright day.\n\nTake care\nof it"],
    ["tags", "#writing #draft/one\n\nIn #london it rained.\n\nHe is #1 in C# and F#.", "In london it rained.\n\nHe is #1 in C# and F#."],
    ["Notion's callouts", "<aside>\n💡 Take care\n\n</aside>\n\none", "💡 Take care\n\none"],
    ["Windows line ends", "# One\r\n\r\ntwo\r\nthree\r\n", "One\n\ntwo\nthree"],
  ])("%s", async (_, source, text) => {
    expect(await textOf(source)).toBe(text);
  });

  it("and leaves it to the rest of the import whether lines were broken at a fixed width", async () => {
    expect((await read("# One\n\ntwo\nthree")).extracts).toEqual([{ name: null, text: "One\n\ntwo\nthree", form: "plain", encoding: "utf-8" }]);
  });

  it("and says how much code it leaves, where it is much", async () => {
    const code = `\`\`\`\n${"let a = 1;\n".repeat(6)}\`\`\`\n\n`;
    expect((await read(`words\n\n${code}`)).leftOut).toEqual([]);
    expect((await read(`words\n\n${code.repeat(2)}`)).leftOut).toEqual([{ name: "notes.md", reason: "2 blocks of program code in it, 12 lines together, are not taken." }]);
  });

  it("refuses what has no words", async () => {
    await expect(read("![](a.png)\n\n```\ncode\n```")).rejects.toMatchObject({ code: "file/empty" });
  });

  it("reads or refuses what is damaged", async () => {
    const whole = bytes("---\na: b\n---\n# One *two*\n\n> [a](b) **c**\n> - d\n\n| a | b |\n|---|---|\n| ![x](y) | `z` |\n\n```\ncode\n```\n<b>x</b> [[n|m]] ==y== %%z%% [^1]\n\n[^1]: é “n”\n");
    const { read: count } = await readDamaged(readMarkdown, damaged(whole, "markdown", 300));
    expect(count).toBeGreaterThan(100);
  });
});

describe("cutMarkdown", () => {
  it("gives micromark nothing that it takes long for", () => {
    const kinds = (text: string) => [...new Set(cutMarkdown(text).map(({ kind }) => kind))];
    expect(kinds("Plain words.\n\nAnd more.")).toEqual(["plain"]);
    expect(kinds("*one*")).toEqual(["marked"]);
    for (const heavy of ["[".repeat(1001), "> ".repeat(30), "- ".repeat(30), `${" ".repeat(70)}- a`, `*a* ${"b".repeat(3000)}`, `- a\n${"\n  b c\n".repeat(10_000)}`]) expect(kinds(heavy)).toEqual(["heavy"]);
  });

  it("loses nothing, and parts a long tight list at its items", () => {
    const list = Array.from({ length: 500 }, (_, i) => `- *item* ${i}`).join("\n");
    const stretches = cutMarkdown(list);
    expect(stretches.length).toBeGreaterThan(1);
    expect(stretches.every(({ kind, text }) => kind === "marked" && text.length <= 4096)).toBe(true);
    expect(stretches.map(({ text, close }) => (close ? "\n" : "") + text).join("")).toBe(list);
  });
});

/** On each, micromark alone takes minutes or overflows. */
describe("what is made to be slow", () => {
  const N = process.env["DUCTUS_LONG"] === "1" ? 1_000_000 : 100_000;
  it.each<[string, string]>([
    ["brackets", "[".repeat(N)],
    ["links in links", "[a](".repeat(N / 4)],
    ["emphasis", "*a_".repeat(N / 3)],
    ["emphasis in many paragraphs", `${"*a_".repeat(300)}\n\n`.repeat(N / 900)],
    ["quotations in quotations", `${">".repeat(N)}a`],
    ["lists in lists", Array.from({ length: Math.sqrt(N) }, (_, i) => `${"  ".repeat(i)}- a`).join("\n")],
    ["runs of back-ticks", Array.from({ length: Math.sqrt(2 * N) }, (_, i) => "`".repeat(i + 1)).join(" a ")],
    ["fences that nothing ends", Array.from({ length: Math.sqrt(2 * N) }, (_, i) => `${"`".repeat(Math.sqrt(2 * N) - i + 3)}\n\na\n`).join("\n")],
    ["comments that nothing ends", "<!-- a\n\n".repeat(N / 8)],
    ["one word", `*b* ${"a".repeat(N)}`],
    ["spaces before a word", `${" ".repeat(N)}*a* ${" ".repeat(N)}|`],
    ["a table", `|a\n|-\n${"|a|b\n".repeat(N / 5)}`],
    ["addresses that nothing uses", `a\n\n${"[a]: b\n".repeat(N / 7)}`],
    ["links between notes that nothing ends", "[[a".repeat(N / 3)],
    ["highlights that nothing ends", "==a".repeat(N / 3)],
    ["tags", `${"#a ".repeat(N / 3)}!`],
    ["less-than signs", "<a ".repeat(N / 3)],
  ])("%s", async (_, source) => {
    expect((await textOf(source))?.length).toBeGreaterThan(0);
  });
});
