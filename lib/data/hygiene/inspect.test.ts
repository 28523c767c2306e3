import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { splitDocuments } from "../split";
import { SCENES } from "../testing/languages";
import { prose } from "../testing/prose";
import { type DocumentInspection, inspectDocuments, type InspectedDocument, textKindOf } from "./inspect";

const pieces = (id: string): InspectedDocument[] =>
  (JSON.parse(readFileSync(new URL(`../../../public/samples/${id}.json`, import.meta.url), "utf8")) as { pieces: { title: string; text: string }[] }).pieces.map((p, i) => ({ id: `${id}${i}`, name: p.title, text: p.text }));
const LETTERS = pieces("letters");
const text = (i: number): string => (LETTERS[i] as InspectedDocument).text;
const draft = (source: string, share: number, seed: string): string => {
  const random = new Random(seed);
  return source.split(" ").map((word) => (random.uniform() < share ? "otherwise" : word)).join(" ");
};

describe("inspectDocuments", () => {
  it.each(["allotment", "letters"])("has nothing against a sample writer: %s", async (id) => {
    const documents = pieces(id);
    const inspection = await inspectDocuments(documents);
    expect(inspection.documents.filter((d) => d.excluded || d.repeats !== null || d.removed.length > 0 || d.warnings.length > 0)).toEqual([]);
    expect(inspection.documents.map((d) => d.text)).toEqual(documents.map((d) => d.text));
    expect(inspection).toMatchObject({ kept: documents.length, groups: [], repeating: 0, languages: [{ language: "en", share: 1 }] });
    expect(inspection.sentences).toEqual([`${inspection.words.toLocaleString("en-GB")} words in ${documents.length} pieces.`, "All in English."]);
  });

  it("cleans, finds what repeats, and says why it would leave something out", async () => {
    const head = "From: Ann <ann@example.org>\nSent: 3 May 2021 10:00\nTo: Ruth\nSubject: jam";
    const documents: InspectedDocument[] = [
      ...LETTERS,
      { id: "copy", name: "Copy", text: text(2) },
      { id: "draft", name: "Draft", text: draft(text(3), 0.05, "d") },
      { id: "longer", name: "Longer", text: `${text(4)}\n\n${prose("more", 1)}` },
      { id: "part", name: "Part", text: text(5).split("\n\n").slice(1, -1).join("\n\n") },
      { id: "mail", name: "Mail", kind: "mail", text: `${prose("mail", 2)}\n\nSent from my iPhone\n\nOn Mon, 3 May 2021 at 10:00, Ann <ann@example.org> wrote:\n\n> ${text(6).replace(/\n/g, "\n> ")}` },
      { id: "forwarded", name: "Forwarded", kind: "mail", text: `---------- Forwarded message ---------\n${head}\n\n${text(7)}` },
      { id: "table", name: "Table", text: Array.from({ length: 20 }, (_, i) => `jam\t${i}\tcellar`).join("\n") },
      { id: "german", name: "German", text: SCENES["de"] as string },
      { id: "nothing", name: "Nothing", text: "…" },
    ];
    const inspection = await inspectDocuments(documents);
    const by = (id: string): DocumentInspection => inspection.documents.find((d) => d.id === id) as DocumentInspection;
    const name = (i: number): string => (LETTERS[i] as InspectedDocument).name;

    const out = inspection.documents.filter((d) => d.excluded).map((d) => [d.id, d.reason]);
    expect(out).toEqual([
      ["letters3", "It is nearly repeated by “Draft”, which is longer or later."],
      ["letters4", "Nearly all of it stands in “Longer”."],
      ["copy", `It has the same words as “${name(2)}”.`],
      ["part", `Nearly all of it stands in “${name(5)}”.`],
      ["forwarded", "All of it is quoted letters of others."],
      ["table", "It looks like a table."],
      ["nothing", "It has no words."],
    ]);
    expect(inspection.groups).toEqual([["letters2", "copy"], ["letters3", "draft"], ["letters4", "longer"], ["letters5", "part"]]);
    expect(by("mail").text).toBe(prose("mail", 2));
    expect(by("mail").removed.map((r) => r.what)).toEqual(["signature", "quote"]);
    expect(by("mail").repeats).toBeNull(); // with its quotation it would hold a letter
    expect(by("german").warnings).toEqual([{ kind: "language", sentence: "It is in German.", excludes: false }]);
    expect(by("german").excluded).toBe(false);
    expect(inspection.repeating).toBe(4);
    expect(inspection.kept).toBe(documents.length - 7);
    expect(inspection.sentences).toEqual([
      expect.stringMatching(/words in \d+ pieces; 7 pieces left out\.$/),
      "Nearly all in English.",
      "4 pieces repeat or nearly repeat another.",
      "Taken off, as it is not the writer’s: quoted letters of others (2 times), a signature (1 time).",
    ]);
    // the groups keep copies on one side, whatever the person leaves out
    const rule = splitDocuments(inspection.documents, 1, { groups: inspection.groups }).rule;
    expect(rule.groupsTogether).toHaveLength(4);
  });

  it("keeps one of many drafts: the last of one length, or the longest", async () => {
    const drafts = [0, 1, 2, 3, 4].map((i) => ({ id: `d${i}`, name: `Draft ${i}`, text: draft(text(3), 0.02 * i, `n${i}`) }));
    const kept = async (documents: InspectedDocument[]): Promise<string[]> => (await inspectDocuments([...documents, ...LETTERS.slice(10, 14)])).documents.filter((d) => !d.excluded && d.id.startsWith("d")).map((d) => d.id);
    expect(await kept(drafts)).toEqual(["d4"]);
    expect(await kept(drafts.map((d, i) => ({ ...d, dateMs: i === 1 ? 99 : i })))).toEqual(["d1"]);
    expect(await kept(drafts.map((d, i) => (i === 2 ? { ...d, text: `${d.text}\n\n${prose("long", 3)}` } : d)))).toEqual(["d2"]);
  });

  it("can be stopped, tells how far it is, and lets others run meanwhile", async () => {
    const many = Array.from({ length: 150 }, (_, i) => ({ id: `${i}`, name: `${i}`, text: prose(i, 12) }));
    const stop = new AbortController();
    let ticks = 0;
    const timer = setInterval(() => ticks++);
    const seen: number[] = [];
    await inspectDocuments(many, { onProgress: (done, all) => seen.push(done / all) });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
    expect(seen.at(-1)).toBe(1);
    let last = 0;
    const onProgress = (done: number): void => {
      last = done;
      if (done === 50) stop.abort(new Error("stopped"));
    };
    await expect(inspectDocuments(many, { signal: stop.signal, onProgress })).rejects.toThrow("stopped");
    expect(last).toBe(50);
    expect(await inspectDocuments([])).toEqual({ documents: [], groups: [], words: 0, kept: 0, languages: [], repeating: 0, sentences: [] });
  });

  it("knows what may stand around a format's texts", () => {
    expect((["email", "mbox", "html", "markdown", "docx"] as const).map(textKindOf)).toEqual(["mail", "mail", "page", "note", "plain"]);
  });
});
