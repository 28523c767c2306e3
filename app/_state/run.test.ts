import type { AdapterReport, Metric, Run } from "../../lib/store/types";
import type { RunEvent } from "../../workers/protocol";
import { DuctusError } from "../../lib/core/errors";
import { beforeEach, describe, expect, it, vi } from "vitest";

const log: string[] = [];
const score = { loss: 3, perplexity: 20, bitsPerByte: 1, tokens: 10, bytes: 40, examples: 2 };
const report: AdapterReport = { base: score, tuned: score };
const point = (kind: Metric["kind"], step: number): Metric => ({ runId: "r", kind, step, loss: 3, tokens: 10, atMs: step });
let workerGone = false;
let unreadable = false;
let guarded = false;
let tell: (event: RunEvent) => void = () => undefined;
let grant: () => void = () => undefined;
let end: (runId: string) => void = () => undefined;

vi.mock("../_engine/run-lock", () => ({
  withRunLock: async (work: () => Promise<string>) => {
    await new Promise<void>((resolve) => (grant = resolve));
    return work();
  },
}));
vi.mock("../_engine/trainer", () => ({
  train: () => {
    log.push("train");
    return new Promise<string>((resolve) => (end = resolve));
  },
  stopTraining: () => Promise.resolve(void log.push("stop")),
  pauseTraining: () => Promise.resolve(void log.push("pause")),
  resumeTraining: () => Promise.resolve(void log.push("resume")),
  goOn: (id: string, _device: string, onEvent: (event: RunEvent) => void) => {
    log.push(`go on ${id}`);
    tell = onEvent;
    return new Promise<string>((resolve) => (end = resolve));
  },
  keepAgain: () => {
    if (workerGone) return Promise.reject(new DuctusError("train/nothing-unsaved", "m"));
    tell({ type: "finished", runId: "r", status: "finished", adapterId: "a", report });
    return Promise.resolve();
  },
  closeTrainer: () => log.push("close trainer"),
}));
vi.mock("../_engine/writer", () => ({ closeWriter: () => log.push("close writer") }));
vi.mock("../_engine/wake-lock", () => ({ keepAwake: () => () => undefined }));
vi.mock("./workspace", () => ({ refresh: () => Promise.resolve(), settleRuns: () => Promise.resolve(), workspace: { get: () => ({ hands: [] }) } }));
vi.mock("../../lib/store/runs", () => ({
  getRun: () => Promise.resolve({ id: "r", handId: "h", status: "stopped", step: 0 }),
  updateRun: (id: string, { adapterId }: Partial<Run>) => Promise.resolve(void log.push(`update ${id} ${adapterId}`)),
  listMetrics: () => unreadable ? Promise.reject(new DuctusError("store/failed", "m")) : Promise.resolve([point("heldout", 0), point("heldout", 2), point("train", 1), point("train", 2), point("train", 3)]),
  listSamples: () => Promise.resolve([0, 2].map((step) => ({ runId: "r", step, prompt: "p", text: "t" }))),
}));
vi.mock("../../lib/store/checkpoints", () => ({ deleteCheckpoints: (id: string) => Promise.resolve(void log.push(`checkpoints ${id}`)) }));
vi.mock("../../lib/store/models", () => ({ getModel: (id: string) => Promise.resolve(id === "large" ? {} : null) }));
vi.mock("../../lib/store/adapters", () => ({
  listAdapters: () => Promise.resolve([]),
  saveAdapter: ({ file }: { file: Uint8Array }) => {
    log.push(`save ${file.join()}`);
    return Promise.resolve({ id: "b" });
  },
}));
vi.stubGlobal("addEventListener", () => (guarded = true));
vi.stubGlobal("removeEventListener", () => (guarded = false));

const { clearRun, continueRun, keepUnsaved, letUnsavedGo, livePoints, run, startRun, stopRun } = await import("./run");

beforeEach(() => {
  clearRun();
  log.length = 0;
});

async function untilSettled(): Promise<void> {
  end("r");
  await vi.waitFor(() => expect(run.get().live?.outcome).not.toBeNull());
}

describe("startRun", () => {
  it("carries a stop that came before the worker had begun", async () => {
    startRun({ handId: "h", device: "auto" });
    stopRun();
    grant();
    await vi.waitFor(() => expect(log).toContain("train"));
    expect(log.slice(log.indexOf("train"))).toEqual(["train", "stop"]);
    await untilSettled();
    expect(run.get().live?.outcome?.status).toBe("stopped");
  });

  it("stops nothing that nobody asked to stop, and starts once", async () => {
    startRun({ handId: "h", device: "auto" });
    startRun({ handId: "h", device: "auto" });
    grant();
    await vi.waitFor(() => expect(log).toContain("train"));
    expect(log).toEqual(["train"]);
    await untilSettled();
  });
});

describe("continueRun", () => {
  const stored = { id: "r", handId: "h", modelSha256: "large" } as Run;

  it("shows what there was, and forgets what comes again", async () => {
    await continueRun(stored);
    grant();
    await vi.waitFor(() => expect(log).toContain("go on r"));
    expect(log).toContain("close writer"); // a model that was brought in does not fit twice
    expect(livePoints()).toHaveLength(5);
    tell({ type: "resumed", runId: "r", step: 1, afterLoss: false, differences: [] });
    expect(livePoints().map(({ kind, step }) => `${kind} ${step}`)).toEqual(["heldout 0", "train 1"]);
    expect(run.get().live).toMatchObject({ resumed: { step: 1, afterLoss: false }, samples: [{ step: 0 }] });
    await untilSettled();
  });

  it("keeps what found no room until it is stored after all", async () => {
    await continueRun({ ...stored, modelSha256: "small" });
    grant();
    await vi.waitFor(() => expect(log).toContain("go on r"));
    expect(log).not.toContain("close writer");
    const file = Uint8Array.of(1, 2);
    tell({ type: "unsaved", runId: "r", stopped: false, error: { code: "store/full", message: "m", next: "n" }, name: "Ann", file, report });
    await untilSettled();
    tell({ type: "failed", runId: "r", error: { code: "app/unexpected", message: "m", next: "n" } });
    startRun({ handId: "another", device: "auto" });
    await continueRun(stored);
    expect(log.filter((line) => line === "train")).toEqual([]);
    expect(run.get().live?.outcome).toMatchObject({ status: "unsaved", file });
    await keepUnsaved();
    expect(run.get().live?.outcome).toMatchObject({ status: "finished", adapterId: "a" });
  });

  it("stores the file that it has where the worker is gone", async () => {
    await continueRun(stored);
    grant();
    await vi.waitFor(() => expect(log).toContain("go on r"));
    tell({ type: "unsaved", runId: "r", stopped: true, error: { code: "store/full", message: "m", next: "n" }, name: "Ann", file: Uint8Array.of(1, 2), report });
    await untilSettled();
    workerGone = true;
    await keepUnsaved();
    workerGone = false;
    expect(log.slice(-4)).toEqual(["save 1,2", "update r b", "checkpoints r", "close trainer"]); // the model is large
    expect(run.get().live?.outcome).toMatchObject({ status: "stopped", adapterId: "b", report });
  });

  it("leaves what is unsaved alone while another hand is deleted, and lets it go where that is asked for", async () => {
    await continueRun(stored);
    grant();
    await vi.waitFor(() => expect(log).toContain("go on r"));
    tell({ type: "unsaved", runId: "r", stopped: false, error: { code: "store/full", message: "m", next: "n" }, name: "Ann", file: Uint8Array.of(1), report });
    await untilSettled();
    clearRun("another");
    expect(run.get().live?.outcome?.status).toBe("unsaved");
    expect(guarded).toBe(true);
    await letUnsavedGo();
    expect(log.slice(-2)).toEqual(["checkpoints r", "close trainer"]);
    expect(run.get().live).toBeNull();
    expect(guarded).toBe(false);
    startRun({ handId: "another", device: "auto" });
    grant();
    await vi.waitFor(() => expect(log).toContain("train"));
    await untilSettled();
  });

  it("goes on where the curve so far cannot be read", async () => {
    unreadable = true;
    await continueRun(stored);
    unreadable = false;
    grant();
    await vi.waitFor(() => expect(log).toContain("go on r"));
    expect(livePoints()).toEqual([]);
    await untilSettled();
  });
});
