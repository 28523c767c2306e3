import papa from "papaparse";
import { describe, expect, it } from "vitest";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import { paragraph, prose } from "../testing/prose";
import { testContext } from "../testing/reading";
import { readCsv } from "./csv";
import type { Reading } from "./types";

const read = (text: string | Uint8Array): Promise<Reading> => readCsv(typeof text === "string" ? new TextEncoder().encode(text) : text, testContext("a.csv"));
const table = (rows: unknown[][], config: papa.UnparseConfig = {}): string => papa.unparse(rows, config);
async function refusal(reading: Promise<Reading>): Promise<DuctusError> {
  const error = await reading.then((found) => new Error(`read: ${JSON.stringify(found).slice(0, 300)}`), (reason: unknown) => reason);
  if (error instanceof DuctusError) return error;
  throw error;
}
const text = (seed: number | string): string => paragraph(new Random(seed), 6);
const found = ({ extracts }: Reading): [string | null, string][] => extracts.map(({ name, text: own }) => [name, own]);
const rows = (make: (i: number) => unknown[], n = 6): unknown[][] => Array.from({ length: n }, (_, i) => make(i));
const titled = rows((i) => [`Walk ${i}`, text(i)]) as [string, string][];

describe("the column that holds the writing", () => {
  it.each<[string, unknown[][]]>([
    ["by its name", [["id", "title", "text", "url"], ...titled.map(([name, own], i) => [i, name, own, "https://example.org/a"])]],
    ["by its name, a longer one beside it", [["title", "content", "summary of it all"], ...titled.map(([name, own], i) => [name, own, `${own} ${text(`s${i}`)}`])]],
    ["by what it holds", [["nr", "title", "tagebuch", "ort"], ...titled.map(([name, own], i) => [`k-${i}`, name, own, "The Old Bridge by the Mill"])]],
    ["beside numbers, dates, addresses and data", [["a", "b", "c", "d", "title", "f"], ...titled.map(([name, own], i) => [i * 17.5, "2024-03-05 10:00", "ann@example.org", '{"a": [1, 2, 3, 4, 5, 6, 7, 8, 9]}', name, own])]],
    ["of a completion", [["prompt", "completion", "title"], ...titled.map(([name, own], i) => [text(`p${i}`), own, name])]],
    ["with nothing below some of its rows", [["title", "text"], ...titled.flatMap((row) => [row, ["An empty one", " "]])]],
    ["named in other letters", [["Title", "Full Text"], ...titled]],
    ["named __proto__", [["title", "__proto__"], ...titled]],
  ])("%s", async (_, values) => {
    expect(found(await read(table(values)))).toEqual(titled);
  });

  it("is not one of categories, however wordy", async () => {
    const days = rows((i) => [i, "A day of long slow rain and of a high river all along the valley", `Walk number ${i}`, `We went to the ${["mill", "bridge", "wood", "hill", "inn"][i % 5] ?? ""} ${"again ".repeat(i % 9)}`], 60);
    expect((await read(table([["nr", "kind", "title", "wort"], ...days]))).extracts[7]?.text).toBe("We went to the wood again again again again again again again");
  });

  it("is found without a header too", async () => {
    expect(found(await read(table(titled.map(([, own], i) => [i, own, "x"]))))).toEqual(titled.map(([, own]) => [null, own]));
    expect(found(await read(table(titled.map(([, own]) => [own]))))).toEqual(titled.map(([, own]) => [null, own]));
  });

  it("may be two: a diary of mornings and evenings", async () => {
    const days = rows((i) => [`2024-03-0${i + 1}`, text(`m${i}`), text(`e${i}`)]);
    expect(found(await read(table([["date", "morning", "evening"], ...days])))).toEqual(days.map(([, morning, evening]) => [null, `${String(morning)}\n\n${String(evening)}`]));
  });

  it("is one piece where its rows are as short as messages", async () => {
    const posts = rows((i) => ["2024", `Went down to the river, day ${"abcdefghij"[i % 10] ?? ""}.`], 40);
    const { extracts } = await read(table([["created", "post"], ...posts]));
    expect(extracts).toMatchObject([{ name: null, form: "paragraphs", text: posts.map(([, post]) => String(post)).join("\n\n") }]);
  });

  it("says how many rows have nothing", async () => {
    expect((await read(table([["title", "text"], ...titled, ["Nothing", ""]]))).leftOut).toEqual([{ name: "a.csv", reason: "A row of the table has no writing in it." }]);
  });
});

describe("tables as programs write them", () => {
  it("reads what papaparse writes, with any separator, line end and mark, to the same rows", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = new Random(`table-${seed}`);
      const hard = (own: string): string => own.replace(/ /g, () => (random.uniform() < 0.02 ? random.pick([" \"", "\n", ", ", "; ", "\t", '" ']) : " "));
      const values = Array.from({ length: 3 + random.int(20) }, (_, i): [string, string, string] => [String(i), `Piece ${i} of ${seed}`, hard(prose(`${seed}-${i}`, 1 + random.int(3)))]);
      const delimiter = random.pick([",", "\t", ";", "|"]), newline = random.pick(["\n", "\r\n"]);
      const written = `${random.pick(["", "\ufeff"])}${table([["id", "title", "text"], ...values], { delimiter, newline })}`;
      expect(found(await read(written)), JSON.stringify({ seed, delimiter, newline })).toEqual(values.map(([, name, own]) => [name, own.trim()]));
    }
  });

  it("reads a table of several parts as papaparse reads it whole", async () => {
    const values = Array.from({ length: 3_000 }, (_, i) => [`Piece ${i}`, prose(`long-${i}`, 2 + (i % 3)).replaceAll(". ", '.\r\n"So," he said, ')]);
    const written = table([["title", "text"], ...values], { newline: "\r\n" });
    expect(written.length).toBeGreaterThan(1_500_000);
    const whole = papa.parse<string[]>(written).data.slice(1);
    const ours = found(await read(written));
    expect(ours.length).toBe(whole.length);
    expect(ours).toEqual(whole);
  });

  it("keeps to the separator of its beginning", async () => {
    const line = (i: number) => `${i};It rained, and rained, and rained, day ${"abcdefghijklmnopqrstuvwxyz"[i % 26] ?? ""}, he said, and she heard him, and went out to see, and came in again, and said that it was so, and that it would be so for the rest of the week`;
    const { extracts } = await read(`nr;text\n1;Dry.\n2;Dry.\n${Array.from({ length: 3_000 }, (_, i) => line(i + 3)).join("\n")}`);
    expect(extracts).toHaveLength(3_002);
    expect(extracts.slice(2).every(({ text: own }, i) => line(i + 3) === `${i + 3};${own}`)).toBe(true);
  });

  it("reads windows-1252 and UTF-16", async () => {
    const written = "title;text\nÉté;L'été était fini, et le cœur léger il s'en alla vers la forêt déjà froide.\n";
    const utf16 = new Uint8Array(Uint16Array.from(`\ufeff${written}`, (c) => c.charCodeAt(0)).buffer);
    const latin = Uint8Array.from(written.replace("œ", "\x9c"), (c) => c.charCodeAt(0));
    for (const bytes of [utf16, latin]) expect(found(await read(bytes))).toEqual([["Été", "L'été était fini, et le cœur léger il s'en alla vers la forêt déjà froide."]]);
  });

  it("reads a table that was cut off inside a cell up to there", async () => {
    const written = table([["title", "text"], ...titled]);
    const last = titled.at(-1) as [string, string];
    const cut = `${written.slice(0, written.length - last[1].length)}"${last[1].slice(0, 30)}`;
    expect(found(await read(cut)).at(-1)).toEqual([last[0], last[1].slice(0, 30).trim()]);
  });
});

describe("what is refused", () => {
  it.each<[string, string, string]>([
    ["messages by several people", table([["date", "from", "text"], ...rows((i) => ["2024", i % 2 ? "Ann" : "Bo", "See you there, and bring the map."], 20)]), "file/chat"],
    ["a talk with a machine", table([["role", "content"], ["user", text(1)], ["assistant", text(2)]]), "file/chat"],
    ["numbers", table(rows((i) => [i, i * 2, i * 3])), "file/empty"],
    ["ids and addresses", table([["id", "url"], ...rows((i) => [`a-${i}`, "https://example.org/some/page"])]), "file/empty"],
    ["one endless line", "river went on ".repeat(400_000), "file/damaged"],
    ["marks that do not match", '"a\n'.repeat(100_000), "file/damaged"],
    ["a mark that opens and never closes", `title,text\nA,"it rained\n${"B,it rained all day\n".repeat(500)}`, "file/damaged"],
    ["too many cells", `${"a,b c,d\n".repeat(10)}${`${"x,".repeat(499)}x\n`.repeat(9_000)}`, "file/too-large"],
  ])("%s", async (_, value, code) => {
    const error = await refusal(read(value));
    expect(error.code, error.message).toBe(code);
    expect(error.message).toMatch(/^“a\.csv” /);
  });

  it("takes one person's messages, and articles by several, for writing", async () => {
    expect((await read(table([["from", "text"], ...rows(() => ["Ann", "See you there, and bring the map."], 20)]))).extracts).toHaveLength(1);
    expect((await read(table([["author", "text"], ...rows((i) => [i % 2 ? "Ann" : "Bo", prose(i, 3)], 8)]))).extracts).toHaveLength(8);
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    await expect(readCsv(new TextEncoder().encode(table(titled)), testContext("a.csv", { signal: stop.signal }))).rejects.toThrow("enough");
  });
});
