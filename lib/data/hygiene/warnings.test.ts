import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SCENES } from "../testing/languages";
import { prose } from "../testing/prose";
import { verse } from "../testing/verse";
import { countWords } from "../words";
import { warningsOf } from "./warnings";

const kinds = (text: string): string[] => warningsOf(text, countWords(text)).map((w) => w.kind + (w.excludes ? "!" : ""));
const lines = (n: number, make: (i: number) => string): string => Array.from({ length: n }, (_, i) => make(i)).join("\n");

describe("warningsOf", () => {
  it.each<[string, string, string[]]>([
    ["nothing", "… —", ["empty!"]],
    ["a few words", "Jam today, then?", ["short"]],
    ["a log", lines(30, (i) => `2021-05-03 10:00:${10 + i} INFO server started worker ${i}`), ["log!"]],
    ["another log", lines(30, (i) => `[03/05/2021 10:${10 + i}] connection from the kitchen closed`), ["log!"]],
    ["a table", lines(20, (i) => `jam ${i}\tthree jars\tplum and apple`), ["table!"]],
    ["a table of commas", lines(20, (i) => `plum,${i},three jars,"sweet, not sour",cellar`), ["table!"]],
    ["a table of spaces", lines(20, () => "plum jam    three jars    in the cellar"), ["table!"]],
    ["addresses", lines(20, (i) => `https://example.org/jam/${i} plum`), ["addresses!"]],
    ["numbers", lines(20, (i) => `${i * 7919} ${i * 104729} plum ${i * 1299709} = ${i}`), ["numbers!"]],
    ["code", "import { jam } from './jam';\n\nexport function cook(plums) {\n  const pot = [];\n  for (const plum of plums) {\n    pot.push(stone(plum));\n  }\n  return jam(pot);\n}\n", ["code!"]],
    ["python", "import os\n\ndef cook(plums):\n    pot = []\n    for plum in plums:\n        pot.append(plum)\n    return jam(pot)\n\ncook(range(3))\n", ["code!"]],
    ["quoted lines", `What she said:\n\n${prose("q", 6).split("\n\n").map((p) => `> ${p}`).join("\n>\n")}`, ["quotation!"]],
    ["a book's quotations", ["q1", "q2", "q3"].map((q) => `“${prose(q, 6).replace(/\n\n/g, " ")}” — Ann Lee`).join("\n\n"), ["quotation!"]],
    ["a mailbox saved as text", `Dear Ann,\n\nthe jam arrived.\n\n${["Ann", "Ruth"].map((n) => `From: ${n}\nSent: 3 May 2021\nTo: Me\nSubject: jam\n\n${prose(n, 2)}`).join("\n\n")}`, ["letters"]],
    ["capitals", prose("c", 3).toUpperCase(), ["capitals"]],
    ["damaged letters", `${prose("d", 3)} CafÃ© crÃ¨me Ã  la maison, naÃ¯ve.`, ["damaged"]],
    ["replaced letters", `${prose("d", 3)} caf\ufffd cr\ufffdme na\ufffdve`, ["damaged"]],
  ])("warns of %s", (_, text, expected) => {
    expect(kinds(text)).toEqual(expected);
    for (const { sentence } of warningsOf(text, countWords(text))) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });

  it("has nothing against writing", () => {
    const samples = ["allotment", "letters"].flatMap((id) => (JSON.parse(readFileSync(new URL(`../../../public/samples/${id}.json`, import.meta.url), "utf8")) as { pieces: { text: string }[] }).pieces.map((p) => p.text));
    for (const text of samples) expect(kinds(text), text.slice(0, 80)).toEqual([]);
    for (const text of Object.values(SCENES)) expect(kinds(text), text.slice(0, 40)).toEqual([]);
    for (const text of [
      prose("x", 20),
      verse("v", { stanzas: 8, lines: 4, chars: [12, 40], indent: "      " }),
      "“Did you?” she said.\n\n“I did.”\n\n“And?”\n\n“And nothing, as I told you before and will tell you again.”\n\nThe jam stood between them like a third person.",
      "- plums\n- sugar\n- a lemon, if there is one in the house\n- patience\n- jars, more than you think\n- somebody to sing while it boils",
      "3 May. Rain. Made jam.\n4 May. Rain. Ate jam.\n5 May. Sun at last, and nobody here to see it with me.\n6 May. Rain again, so it was not my imagination.\n7 May. Wrote to Ann about the jam and the rain.\n8 May. Posted it.",
      "I LOVE you, Ann (she wrote), and I LOVE the jam; I am NOT mad, whatever the doctor with the little beard may say.",
      "When I was young, and small, and thin,\nWhen day was long, and light, and in,\nWhen all was well, and good, and mine,\nWhen nobody, alas, drank wine,\nWhen I, and you, and Ann, sang low,\nThat was, that is, so long ago.",
    ]) expect(kinds(text), text.slice(0, 40)).toEqual([]);
  });

  it("looks at the ends and the middle of what is long, and never for long", () => {
    expect(kinds(`${prose("a", 2)}\n\n${lines(60_000, (i) => `2021-05-03 10:00:10 INFO ${i}`)}`)).toEqual(["log!"]);
    for (const hostile of ["(".repeat(1e6), "a@".repeat(1e6), "= ".repeat(1e6), "> ".repeat(1e6), "http://".repeat(1e5), `${"a;".repeat(1e6)}\n`.repeat(5), "“".repeat(1e6)]) warningsOf(hostile, 5);
  });
});
