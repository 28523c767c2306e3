/**
 * Damaged model and adapter files, equal shares of each kind: each is refused
 * with a known code, or read to exactly what it holds; none asks for more
 * memory than its size allows, or for ever more work. They run in a thread of
 * their own, so that one that never ends fails by name.
 */
import { expect, it } from "vitest";
import { bundleThread, runThread } from "../../core/testing/watched-thread";
import type { FuzzOrder, FuzzReport } from "./fuzz-worker";

const LONG = process.env["DUCTUS_LONG"] === "1";
/** Of eight kinds: 1,000 in all; a tenth of them without --long. */
const ORDER: FuzzOrder = { each: 125, step: LONG ? 1 : 10, seed: "damage" };
/** No case takes a second; a thread that says nothing for this long has hung. */
const SILENCE_MS = 60_000;

async function run(order: FuzzOrder): Promise<FuzzReport[]> {
  const script = await bundleThread(new URL("./fuzz-worker", import.meta.url));
  const { reports, died } = await runThread<FuzzReport>(script, order, { heapMb: 512, silenceMs: SILENCE_MS });
  if (died !== null) throw new Error(`${died}, after ${JSON.stringify(reports.at(-1))}`);
  return reports.filter(({ at }) => at !== "end");
}

it(`refuses in words, or reads rightly, ${LONG ? "1,000" : "100"} damaged files`, async () => {
  const reports = await run(ORDER);
  const failures = reports.filter((report) => report.at === "failed");
  expect(failures.map(({ kind, round, why }) => `${kind} ${round}: ${why}`)).toEqual([]);
  const kinds = new Set(reports.map((report) => (report.at === "end" ? "" : report.kind)));
  expect(kinds.size).toBe(8);
  for (const kind of kinds) {
    const of = (at: FuzzReport["at"]) => reports.filter((report) => report.at === at && "kind" in report && report.kind === kind).length;
    expect(of("refused") + of("read"), kind).toBe(Math.ceil(ORDER.each / ORDER.step));
    expect(of("refused"), kind).toBeGreaterThan(0);
    if (LONG) expect(of("read"), kind).toBeGreaterThan(0);
  }
}, 600_000);
