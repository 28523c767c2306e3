import { strFromU8, unzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import type { ImportFuzzReport } from "../../../lib/data/testing/import-fuzz-order";
import { importFiles } from "../../../lib/data/import/import";
import { badInputsLine, outcomesOf } from "./bad-inputs";
import { blockFigures, blockLine, computedBetween, mainThreadMs } from "./blocking";
import type { Contents } from "./contents";
import { importLine } from "./import-speed";
import { killsLine, momentsOf } from "./kills";
import { growthLine } from "./long-run";
import { mixedArchive } from "./mixed-archive";
import { scriptLine, scriptOf } from "./script";
import { changedFiles, curveOf, differences, halves, lastCheckpoint, losses, textsOf, under, wholeOrGone } from "./survival";

describe("app.script_kb", () => {
  it("counts what a screen loads itself, once, and tells the rest beside it", () => {
    const asked = [
      { path: "/train", byPage: true },
      { path: "/a.js", byPage: true },
      { path: "/a.js", byPage: true },
      { path: "/both.js", byPage: false },
      { path: "/both.js", byPage: true },
      { path: "/worker.mjs", byPage: false },
    ];
    const train = scriptOf("/train", asked);
    expect(train).toEqual({ screen: "/train", own: ["/a.js", "/both.js"], workers: ["/worker.mjs"] });
    const kb = (path: string): number => ({ "/a.js": 200, "/both.js": 60, "/worker.mjs": 9, "/next.js": 7 })[path] ?? NaN;
    const line = scriptLine([{ screen: "/", own: ["/a.js"], workers: [] }, train], new Map([["/train", ["/a.js", "/next.js"]]]), kb);
    expect(line).toMatchObject({ value: 260, met: false, screens: [{ kb: 200, aheadKb: 0, workersKb: 0 }, { kb: 260, aheadKb: 7, workersKb: 9 }] });
  });
});

describe("app.longest_block_ms and app.heap_growth", () => {
  it("count what the page computed itself of a gap, and all of it where that is not known", () => {
    const gap = (ms: number, busyMs: number | null) => ({ ms, busyMs, atMs: 0, during: "training" });
    const blocks = { gaps: [gap(300, 40), gap(90, 80)], longestGapMs: 310, tasks: [], frames: [] };
    expect(blockFigures(blocks)).toMatchObject({ longestBlockMs: 80, byClockMs: 310 });
    expect(blockLine(blocks, 3, 5)).toMatchObject({ value: 80, byClockMs: 310, met: true });
    expect(blockLine({ ...blocks, gaps: [gap(110, null)] }, 3, 5)).toMatchObject({ value: 110, met: false });
  });

  it("take the readings around a gap", () => {
    const readings = [0, 10, 20, 40].map((at, i) => ({ at, computed: [0, 5, 5, 25][i]! }));
    expect(computedBetween(readings, 12, 22)).toBe(20);
    expect(computedBetween(readings, 10, 20)).toBe(0);
    expect(computedBetween(readings, 30, 50)).toBeNull();
    if (process.platform === "linux") expect(mainThreadMs(process.pid)).toBeGreaterThan(0);
    expect(mainThreadMs(0)).toBeNull();
  });

  it("give the last run's memory over the first's", () => {
    expect(growthLine([400, 500, 444], 6)).toMatchObject({ value: 1.11, n: 3, met: false });
    expect(() => growthLine([400], 6)).toThrow(RangeError);
  });
});

describe("app.import_mb_s", () => {
  const text = "The oven was lit before anybody in the house had woken, and she went down to the gate with a lantern. ".repeat(3);
  const archive = mixedArchive(60_000, "test", text);

  it("makes the same archive again, all of which can be read", async () => {
    expect(Buffer.from(mixedArchive(60_000, "test", text).bytes).equals(Buffer.from(archive.bytes))).toBe(true);
    expect(archive.bytes.length).toBeGreaterThanOrEqual(60_000);
    const entries = unzipSync(archive.bytes);
    expect(Object.keys(entries)).toHaveLength(archive.files);
    expect(strFromU8(Object.entries(entries).find(([name]) => name.endsWith(".html"))![1])).toContain("<!DOCTYPE html>");
    let pieces = 0;
    for await (const event of importFiles([{ path: "all.zip", bytes: archive.bytes.length, read: () => Promise.resolve(archive.bytes) }])) {
      if (event.type === "fault" || event.type === "left-out") throw new Error(JSON.stringify(event));
      if (event.type === "document") pieces++;
    }
    expect(pieces).toBe(archive.pieces);
  });

  it("has no figure where something is missing", () => {
    const blocks = blockFigures({ gaps: [], longestGapMs: 0, tasks: [], frames: [] });
    expect(importLine({ ...archive, bytes: new Uint8Array(5e6) }, 10, blocks, [])).toMatchObject({ value: 0.5, met: true });
    expect(importLine(archive, 10, blocks, ["two pieces"])).toMatchObject({ value: null, error: "two pieces" });
  });
});

describe("app.bad_inputs", () => {
  const report = (at: ImportFuzzReport["at"], index: number, why?: string): ImportFuzzReport => ({ at, index, format: "pdf", round: index, how: "cut", whole: false, ...(why === undefined ? {} : { why }) });

  it("counts what came of each file, and blames the one in hand where the process ended", () => {
    const died = { fate: "hang", why: "too long" } as const;
    const outcomes = outcomesOf([report("read", 0), report("refused", 1), report("failed", 2, "words are missing"), report("begin", 3)], died);
    expect(outcomes.map(({ fate }) => fate)).toEqual(["read", "refused", "lost", "hang"]);
    expect(outcomesOf([report("read", 0)], died)).toHaveLength(1);
    expect(badInputsLine(4, outcomes, 1, 200)).toMatchObject({ value: 2, n: 4, met: false, lost: 1, hangs: 1, crashes: 0, faults: [{ file: "pdf 2 (cut)", why: "words are missing" }, { why: "too long" }] });
    expect(badInputsLine(3, outcomes.slice(0, 2), 1, 200)).toMatchObject({ value: 2, met: false }); // one was never told of
  });
});

describe("app.kills_survived", () => {
  const file = (sha256: string, bytes = 3, payload?: string) => ({ bytes, sha256, ...(payload === undefined ? {} : { payload }) });
  const entry = (key: unknown, value: Record<string, unknown>) => ({ key: JSON.stringify(key), value });
  const whole: Contents = {
    hands: [entry("h", { id: "h", name: "Ann", source: "own", seed: 1 })],
    documents: [entry("d", { id: "d", handId: "h", name: "a", text: "one", words: 1 })],
    runs: [entry("r", { id: "r", handId: "h", config: {}, modelSha256: "m", step: 4, status: "running", adapterId: "a", checkpointStep: 4 })],
    metrics: [entry(["r", "train", 1], { runId: "r", kind: "train", step: 1, loss: 2, gradNorm: 1, tokens: 5, atMs: 7 })],
    adapters: [entry("a", { id: "a", handId: "h", runId: "r", name: "Ann", fileBytes: 3 })],
    adapterFiles: [entry("a", { adapterId: "a", file: file("x", 3, "p") })],
    checkpoints: [entry(["r", 2], { runId: "r", step: 2, file: file("c") }), entry(["r", 4], { runId: "r", step: 4, file: file("d") })],
    conversations: [entry("c", { id: "c", handId: "h", turns: [{ id: "1", text: "Hello" }] })],
  };
  const without = (...stores: string[]): Contents => Object.fromEntries(Object.entries(whole).filter(([store]) => !stores.includes(store)));

  it("finds what is lost, what has changed, and lets live what lives", () => {
    const later: Contents = {
      ...whole,
      documents: [entry("d", { id: "d", handId: "h", name: "a", text: "on", original: "one", words: 1 })],
      runs: [entry("r", { ...whole["runs"]![0]!.value, step: 9, status: "interrupted" })],
      conversations: [entry("c", { id: "c", handId: "h", turns: [{ text: "Hello", id: "1" }, { id: "2" }] })],
    };
    expect(losses(whole, later)).toEqual([]);
    expect(losses(whole, without("documents"))).toEqual([`documents "d" is gone`]);
    expect(losses(whole, { ...whole, metrics: [entry(["r", "train", 1], { runId: "r", kind: "train", step: 1, loss: 3, tokens: 5 })] })[0]).toContain("has changed");
    expect(losses(later, whole)).toEqual(["conversation \"c\" has lost turns"]);
    expect(changedFiles(whole, whole)).toEqual([]);
    expect(changedFiles(whole, { ...whole, adapterFiles: [entry("a", { adapterId: "a", file: file("y") })] })).toHaveLength(1);
  });

  it("finds what is half there", () => {
    expect(halves(whole)).toEqual([]);
    expect(halves(without("hands"))).toHaveLength(4); // the document, the run, the adapter and the conversation have no owner
    expect(halves(without("adapterFiles"))).toEqual([`adapters "a" has not its whole file`]);
    expect(halves(without("adapters"))).toHaveLength(2); // the file of none, and a run that names it
    expect(halves(without("checkpoints"))[0]).toContain("names the checkpoint of step 4");
    expect(lastCheckpoint(whole, "r")).toBe(4);
    expect(lastCheckpoint(whole, "other")).toBeNull();
  });

  it("compares curves to the last bit", () => {
    const curve = curveOf(whole, "r");
    expect(curve).toEqual({ "train 000001": [2, 1], adapter: "p" });
    expect(differences(curve, curve)).toEqual([]);
    expect(differences(curve, { ...curve, "train 000001": [2 + Number.EPSILON * 2, 1] })).toHaveLength(1);
    expect(differences(curve, {})).toHaveLength(2);
  });

  it("tells the whole from the gone and the half", () => {
    const all = under(whole, "h");
    expect(all).toHaveLength(9);
    expect(under(whole, "other")).toEqual([]);
    expect(wholeOrGone(all, all)).toEqual({ state: "whole", wrong: [] });
    expect(wholeOrGone(all, [])).toEqual({ state: "gone", wrong: [] });
    expect(wholeOrGone(all, all.slice(1)).state).toBe("half");
    expect(textsOf(whole)).toEqual(["one"]);
  });

  it("draws the same moments again, others for each kind, and counts by kind", () => {
    expect(momentsOf("import", 3)).toEqual(momentsOf("import", 5).slice(0, 3));
    expect(momentsOf("import", 3)).not.toEqual(momentsOf("deletion", 3));
    const line = killsLine([{ moment: "import", round: { at: "1 ms", wrong: [] } }, { moment: "deletion", round: { at: "2 ms", wrong: ["half"] } }]);
    expect(line).toMatchObject({ value: 1, n: 2, met: false, moments: [{ moment: "import", survived: 1 }, { moment: "deletion", survived: 0 }], faults: [{ moment: "deletion", wrong: ["half"] }] });
  });
});
