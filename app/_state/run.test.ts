import { beforeEach, describe, expect, it, vi } from "vitest";

const log: string[] = [];
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
}));
vi.mock("../_engine/wake-lock", () => ({ keepAwake: () => () => undefined }));
vi.mock("./workspace", () => ({ refresh: () => Promise.resolve(), settleRuns: () => Promise.resolve() }));
vi.mock("../../lib/store/runs", () => ({ getRun: () => Promise.resolve({ handId: "h", status: "stopped", step: 0 }) }));
vi.mock("../../lib/store/adapters", () => ({ listAdapters: () => Promise.resolve([]) }));
vi.stubGlobal("addEventListener", () => undefined);
vi.stubGlobal("removeEventListener", () => undefined);

const { clearRun, run, startRun, stopRun } = await import("./run");

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
