import { beforeEach, describe, expect, it, vi } from "vitest";
import { DuctusError } from "../../lib/core/errors";
import type { ModelOutlook } from "../../workers/protocol";

const log: string[] = [];
let answer: () => void = () => undefined;
let downloaded = false;
beforeEach(() => void log.splice(0));

vi.mock("../_engine/models", () => ({
  addModel: () => {
    log.push("add");
    return Promise.resolve("id");
  },
  cancelModel: () => Promise.resolve(),
  closeModels: () => undefined,
  embeddedModel: () => Promise.reject(new Error("not asked for")),
  inspectModel: (_: unknown, licence?: string) => (licence !== undefined && log.push(`inspect, ${licence}`), Promise.resolve({ name: "Tiny" } as ModelOutlook)),
  knownModels: () => Promise.resolve([]),
  sweepModels: () => Promise.resolve(),
}));
vi.mock("./persist", () => ({ askToKeep: () => new Promise<void>((resolve) => (answer = resolve)) }));
vi.mock("./run", () => ({ isActive: () => false, run: { get: () => ({ live: null }) } }));
vi.mock("../_engine/run-lock", () => ({ ifNoRun: () => Promise.resolve(true) }));
vi.mock("../../lib/store/model-files", () => ({ hasModelStorage: () => Promise.resolve(true), deleteModelFolder: () => Promise.resolve() }));
vi.mock("../../lib/store/downloads", () => ({
  listDownloads: () => Promise.resolve(downloaded ? [{ repo: "maker/tiny" }] : []),
  deleteDownload: (repo: string) => (log.push(`delete ${repo}`), (downloaded = false), Promise.resolve()),
  downloadedFiles: () => (downloaded ? Promise.resolve({ listing: { licence: "mit" }, files: [new File(["x"], "config.json")] }) : Promise.reject(new DuctusError("store/gone", "It is gone."))),
}));
vi.mock("../../lib/store/models", () => ({ listModels: () => Promise.resolve([]), forgetModel: () => Promise.resolve(null) }));

const { cancelIncoming, deleteAllModels, forgetDownload, models, offerDownload, offerModel, takeModel } = await import("./models");

describe("takeModel", () => {
  it("is stopped while the browser asks whether to keep it, as at any other time", async () => {
    for (const stopped of [true, false]) {
      await offerModel([]);
      const taken = takeModel("q4");
      await expect(deleteAllModels()).rejects.toMatchObject({ code: "app/busy" });
      if (stopped) cancelIncoming();
      answer();
      await taken;
      expect(models.get()).toMatchObject({ incoming: null, addedId: stopped ? null : "id", stopped: stopped ? "Tiny" : null, error: null });
      expect(log).toEqual(stopped ? [] : ["add"]);
    }
  });
});

describe("a download", () => {
  it("is brought in under its name and licence, and goes only once the model is in", async () => {
    downloaded = true;
    for (const stopped of [true, false]) {
      await offerDownload("maker/tiny");
      const taken = takeModel("q8");
      await expect(forgetDownload("maker/tiny")).rejects.toMatchObject({ code: "app/busy" });
      if (stopped) cancelIncoming();
      answer();
      await taken;
      expect(models.get().downloads.map(({ repo }) => repo)).toEqual(stopped ? ["maker/tiny"] : []);
    }
    expect(log).toEqual(["inspect, mit", "inspect, mit", "add", "delete maker/tiny"]);
    await offerDownload("maker/tiny");
    expect(models.get()).toMatchObject({ incoming: null, error: { code: "store/gone" } });
  });

  it("goes with all models", async () => {
    downloaded = true;
    await deleteAllModels();
    expect(log).toEqual(["delete maker/tiny"]);
  });
});
