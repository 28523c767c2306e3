/**
 * Damaged and hostile files of every format, equal shares of each: each is
 * refused in plain words or read to the right text, none takes seconds or much
 * memory. They run in a thread of their own; where that must be ended, the file
 * is named and the thread goes on behind it. The same suite finds each of the
 * faults of imports that were broken for it.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { bundleThread, runThread, type Watch } from "../../core/testing/watched-thread";
import type { BrokenName } from "../testing/import-broken";
import type { ImportFuzzOrder, ImportFuzzReport } from "../testing/import-fuzz-order";
import { FORMATS } from "./types";

const LONG = process.env["DUCTUS_LONG"] === "1";
/** Of 14 formats: 10,010 in all; a tenth of them without --long. */
const ORDER: ImportFuzzOrder = { each: 715, step: LONG ? 1 : 10, seed: "import", from: 0, lineLength: 200_000 };
/** No file may take longer; hardly one takes a tenth. */
const WATCH: Watch = { heapMb: 1024, memoryMb: 1500, cpuMs: 5000, silenceMs: 120_000 };
/** Lines and runs of 50 MB, among a few more files. */
const LONG_LINES: ImportFuzzOrder = { each: 14, step: 1, seed: "long", from: 0, lineLength: 50_000_000 };
const LONG_WATCH: Watch = { heapMb: 3000, memoryMb: 4000, cpuMs: 60_000, silenceMs: 600_000 };

let script: string;
beforeAll(async () => {
  script = await bundleThread(new URL("../testing/import-fuzz-worker", import.meta.url));
});

/** Runs all, with a new thread behind each file that ends one. */
async function runAll(order: ImportFuzzOrder, watch: Watch): Promise<ImportFuzzReport[]> {
  const all: ImportFuzzReport[] = [];
  for (let from = order.from; ; ) {
    const { reports, died } = await runThread<ImportFuzzReport>(script, { ...order, from }, watch);
    all.push(...reports);
    if (died === null) return all;
    const last = reports.at(-1);
    if (last === undefined) throw new Error(died);
    all.push({ ...last, at: "failed", why: died });
    from = last.index + 1;
  }
}

const shown = ({ format, round, how, why }: ImportFuzzReport): string => `${format} ${round} (${how}): ${why ?? ""}`;

it(`refuses in plain words, or reads rightly, ${LONG ? "10,010" : "1,008"} damaged files`, async () => {
  const reports = await runAll(ORDER, WATCH);
  expect(reports.filter(({ at }) => at === "failed").map(shown)).toEqual([]);
  for (const format of FORMATS) {
    const own = reports.filter((report) => report.format === format);
    const count = (at: ImportFuzzReport["at"]) => own.filter((report) => report.at === at).length;
    expect(count("read") + count("refused") + count("left out"), format).toBe(Math.ceil(ORDER.each / ORDER.step));
    expect(count("read"), format).toBeGreaterThan(0);
    expect(count("refused"), format).toBeGreaterThan(0);
    expect(own.filter(({ at, whole }) => at === "read" && whole).length, format).toBeGreaterThan(0);
  }
}, LONG ? 3_600_000 : 300_000);

if (LONG) it("does so with lines of 50 MB", async () => {
  const reports = await runAll(LONG_LINES, LONG_WATCH);
  expect(reports.filter(({ at }) => at === "failed").map(shown)).toEqual([]);
}, 3_600_000);

describe("finds an import that", () => {
  const FOUND: Record<BrokenName, RegExp> = {
    "reads anything as Latin-1": /are not of the writing|are missing|are no text/,
    "loses the last words": /paragraphs are missing/,
    "lets markup through": /are not of the writing|are missing/,
    "says nothing": /nothing said|are missing/,
    "never ends its report": /did not say that it was at its end/,
    throws: /not a function/,
    "shows a library's message": /no sentence|not plain/,
    "gives no next step": /no sentence/,
    "computes for ever": /computed for more than/,
    "takes all memory": /took more than/,
    "fills the heap": /the thread died/,
  };

  it.each(Object.entries(FOUND) as [BrokenName, RegExp][])("%s", async (broken, expected) => {
    const order: ImportFuzzOrder = { ...ORDER, each: 4, step: 1, formats: ["text", "rtf", "email"], broken };
    const ends = /ever$|memory|heap/.test(broken);
    const { reports, died } = await runThread<ImportFuzzReport>(script, order, { heapMb: 64, memoryMb: 300, cpuMs: 1500, silenceMs: 60_000 });
    const faults = reports.filter(({ at }) => at === "failed").map(shown);
    expect([...faults, died ?? ""].join("\n")).toMatch(expected);
    expect(died === null).toBe(!ends);
  });
});
