import { describe, expect, it, vi } from "vitest";
import type { ModelOutlook } from "../../workers/protocol";

const log: string[] = [];
let answer: () => void = () => undefined;

vi.mock("../_engine/models", () => ({
  addModel: () => {
    log.push("add");
    return Promise.resolve("id");
  },
  cancelModel: () => Promise.resolve(),
  closeModels: () => undefined,
  embeddedModel: () => Promise.reject(new Error("not asked for")),
  inspectModel: () => Promise.resolve({ name: "Tiny" } as ModelOutlook),
  sweepModels: () => Promise.resolve(),
}));
vi.mock("./persist", () => ({ askToKeep: () => new Promise<void>((resolve) => (answer = resolve)) }));
vi.mock("./run", () => ({ isActive: () => false, run: { get: () => ({ live: null }) } }));
vi.mock("../_engine/run-lock", () => ({ ifNoRun: () => Promise.resolve(true) }));
vi.mock("../../lib/store/model-files", () => ({ hasModelStorage: () => Promise.resolve(true), deleteModelFolder: () => Promise.resolve() }));
vi.mock("../../lib/store/models", () => ({ listModels: () => Promise.resolve([]), forgetModel: () => Promise.resolve(null) }));

const { cancelIncoming, deleteAllModels, models, offerModel, takeModel } = await import("./models");

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
