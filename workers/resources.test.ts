import { beforeEach, describe, expect, it, vi } from "vitest";
import { DuctusError } from "../lib/core/errors";
import type { StoredModel } from "../lib/store/types";

const stored = new Map<string, StoredModel>();
const opened: string[] = [];
let online = true;
const open = (what: string): Promise<object> => {
  opened.push(what);
  return Promise.resolve({});
};

vi.stubGlobal("self", { location: { origin: "http://here" } });
vi.mock("./model-files", () => ({ fetchModelFile: () => undefined }));
vi.mock("../lib/store/models", () => ({
  getModel: (id: string) => Promise.resolve(stored.get(id) ?? null),
  modelGone: (name: string) => new DuctusError("model/gone", name),
}));
vi.mock("../lib/store/model-files", () => ({ openModelFolder: (folder: string) => Promise.resolve(folder) }));
vi.mock("../lib/train/model/manifest", () => ({
  loadManifest: () => (online ? Promise.resolve({ models: [{ id: "ductus-base", sha256: "site" }] }) : Promise.reject(new DuctusError("model/network", "offline"))),
}));
vi.mock("../lib/train/model/embedded", () => ({ EMBEDDED_MODEL_ID: "ductus-base", openModel: () => open("embedded") }));
vi.mock("../lib/train/model/files", () => ({ opfsModel: (folder: string) => Promise.resolve(folder) }));
vi.mock("../lib/train/model/load", () => ({ openModelFiles: (folder: string) => open(folder), openSettings: () => undefined }));
const asked: unknown[] = [];
vi.mock("../lib/train/runtime/device", () => ({
  openDevice: (preference: string, threads: number) => {
    asked.push([preference, threads]);
    return Promise.resolve({ backend: { lost: new Promise(() => undefined) }, report: { kind: preference === "webgpu" ? "webgpu" : "wasm", threads, reason: "" } });
  },
}));
let setting: string | null = null;
vi.mock("../lib/store/hands", () => ({ getSetting: (name: string) => (name === "device" ? Promise.resolve(setting) : Promise.reject(new Error(name))) }));
vi.mock("../lib/store/threads", () => ({ measuredThreads: () => Promise.resolve(3) }));

const { device, openByHash } = await import("./resources");
const model = (id: string, folder: string): StoredModel => ({ id, folder, name: id, family: "qwen2", parameters: 1, storage: "q4", fileBytes: 1, weightBytes: 1, addedAt: 1 });

beforeEach(() => {
  stored.clear();
  opened.length = 0;
  online = true;
});

describe("openByHash", () => {
  it("opens the embedded model as the site has it, whatever lies here with its hash", async () => {
    stored.set("site", model("site", "quantised"));
    expect((await openByHash("site", "x")).storage).toBe("f32");
    expect(opened).toEqual(["embedded"]);
  });

  it("opens what was brought in, with the network off too, and once", async () => {
    online = false;
    stored.set("own", model("own", "first"));
    const [a, b] = await Promise.all([openByHash("own", "x"), openByHash("own", "x")]);
    expect(a).toBe(b);
    expect(a.storage).toBe("q4");
    expect(opened).toEqual(["first"]);
  });

  it("opens it anew where it was brought in anew, after the one before has been let go; gone, it is gone", async () => {
    const letGo = vi.fn(() => Promise.resolve(void opened.push("let go")));
    stored.set("again", model("again", "old"));
    const before = await openByHash("again", "x", undefined, letGo);
    expect(await openByHash("again", "x", undefined, letGo)).toBe(before);
    stored.set("again", model("again", "new"));
    expect(await openByHash("again", "x", undefined, letGo)).not.toBe(before);
    expect(opened).toEqual(["let go", "old", "let go", "new"]);
    stored.clear();
    await expect(openByHash("again", "x")).rejects.toMatchObject({ code: "model/gone" });
  });
});

describe("device", () => {
  it("is the one that the person chose, where nobody asks for another; each is opened once", async () => {
    expect((await device("auto")).report).toEqual({ kind: "wasm", threads: 3, reason: "" });
    setting = "wasm";
    expect((await device("auto")).report).toEqual({ kind: "wasm", threads: 3, reason: "The processor was chosen in the settings." });
    setting = "webgpu";
    expect((await device("auto")).report.kind).toBe("webgpu");
    expect((await device("wasm")).report.reason).toBe("");
    expect((await device("auto")).report.kind).toBe("webgpu");
    setting = null;
    await device("auto");
    expect(asked).toEqual([["auto", 3], ["wasm", 3], ["webgpu", 3]]);
  });
});
