import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DuctusError } from "../../lib/core/errors";
import type { ImporterEvent, ImportRequest, ImportResult, SourceFile } from "../../workers/importer-protocol";
import { importAll, type ImportLimits, type ImportWorker } from "./import-watch";

const LIMITS: ImportLimits = { silentMs: 1000, fileMs: 5000, lookEveryMs: 100 };
const file = (path: string): SourceFile => ({ path, file: new File(["x"], path) });
const request: ImportRequest = { handId: null, files: [file("a.txt"), file("bad.pdf"), file("c.txt")], pasted: "p" };
const done = (added: number): ImportResult => ({ handId: "h", added, stopped: false, error: null, unlooked: null });
const progress = (name: string, phase: "reading" | "looking" = "reading"): ImporterEvent => ({ type: "progress", progress: { phase, name, done: 0, total: 1, filesDone: 0, files: 3, pieces: 0, remainingMs: null } });

/** A worker whose calls do what they are told; `end` makes the open one fail. */
function workerOf(...calls: ((hear: (event: ImporterEvent) => void, fail: (error: Error) => void) => ImportResult | Promise<ImportResult>)[]) {
  const asked: ImportRequest[] = [];
  let fail: (error: Error) => void = () => undefined;
  const worker: ImportWorker = {
    take: (part, hear) => {
      asked.push(part);
      const call = calls.shift()!;
      return new Promise((resolve, reject) => {
        fail = reject;
        Promise.resolve(call(hear, reject)).then(resolve, reject);
      });
    },
    end: () => fail(new DuctusError("app/worker-ended", "Ended.", "Again.")),
  };
  return { worker, asked };
}
const never = new Promise<ImportResult>(() => undefined);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("importAll", () => {
  it("gives up a file that holds the worker fast, and goes on with the next", async () => {
    const heard: ImporterEvent[] = [];
    const { worker, asked } = workerOf(
      (hear) => {
        hear({ type: "stored", handId: "h", pieces: 2 });
        hear({ type: "file", index: 1 });
        hear(progress("bad.pdf"));
        return never;
      },
      () => done(1),
    );
    const all = importAll(worker, request, (event) => heard.push(event), LIMITS);
    await vi.advanceTimersByTimeAsync(900);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(300);
    expect(await all).toEqual({ ...done(3), handId: "h" });
    expect(asked.map(({ files, handId, pasted, look }) => [files.map(({ path }) => path), handId, pasted, look])).toEqual([[["a.txt", "bad.pdf", "c.txt"], null, "p", undefined], [["c.txt"], "h", undefined, true]]);
    expect(heard.flatMap((event) => (event.type === "said" ? event.faults : []))).toMatchObject([{ name: "bad.pdf", error: { code: "file/too-large", message: "“bad.pdf” took too long to read, and was given up." } }]);
  });

  it("lets a worker be that is slow, but says something, until a file has had its time", async () => {
    const heard: ImporterEvent[] = [];
    const { worker, asked } = workerOf((hear) => {
      hear({ type: "file", index: 1 });
      setInterval(() => hear({ type: "alive" }), 500);
      return never;
    }, () => done(0));
    const all = importAll(worker, request, (event) => heard.push(event), LIMITS);
    await vi.advanceTimersByTimeAsync(4900);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(300);
    await all;
    expect(asked).toHaveLength(2);
  });

  it("counts a file in an archive by itself, and says what was not read", async () => {
    const heard: ImporterEvent[] = [];
    const { worker } = workerOf((hear, fail) => {
      hear({ type: "file", index: 1 });
      for (let at = 0; at < 8; at++) setTimeout(() => hear(progress(`entry-${at}.txt`)), at * 900);
      setTimeout(() => fail(new DuctusError("app/worker-died", "Died.", "Again.")), 7300);
      return never;
    }, () => done(0));
    const all = importAll(worker, request, (event) => heard.push(event), LIMITS);
    await vi.advanceTimersByTimeAsync(7400);
    await all;
    expect(heard.flatMap((event) => (event.type === "said" ? event.faults.map(({ error }) => error.message) : []))).toEqual(["“entry-7.txt” in “bad.pdf” needs more memory to be read than there is. What comes after it in the archive was not read."]);
  });

  it("keeps what was read where the look over it dies, and passes on faults that are no file's", async () => {
    const { worker } = workerOf((hear, fail) => {
      hear({ type: "file", index: 2 });
      hear({ type: "stored", handId: "h", pieces: 3 });
      hear(progress("", "looking"));
      fail(new DuctusError("app/worker-died", "Died.", "Again."));
      return never;
    });
    expect(await importAll(worker, request, () => undefined, LIMITS)).toMatchObject({ added: 3, handId: "h", unlooked: { code: "app/worker-died" } });
    const other = workerOf((_, fail) => {
      fail(new DuctusError("app/worker-died", "Died.", "Again."));
      return never;
    });
    await expect(importAll(other.worker, request, () => undefined, LIMITS)).rejects.toMatchObject({ code: "app/worker-died" });
  });
});
