import { describe, expect, it } from "vitest";
import type { DeviceTest, Opened } from "../../workers/keeper-protocol";
import { deviceFacts, testDetails, testWords } from "./device-facts";
import { openedWords } from "./opened-words";
import { persistenceWords, storageParts } from "./storage-words";

describe("storage in words", () => {
  it("names every kind, in one order", () => {
    const parts = storageParts({ site: 6, models: 5, checkpoints: 4, adapters: 3, runs: 2, writing: 1 });
    expect(parts.map(({ kind, bytes }) => [kind, bytes])).toEqual([["writing", 1], ["runs", 2], ["adapters", 3], ["checkpoints", 4], ["models", 5], ["site", 6]]);
  });

  it("says what the browser has answered", () => {
    expect(persistenceWords(true, false)).toMatch(/has promised/);
    expect(persistenceWords(true, true)).toMatch(/was asked, and has promised/);
    expect(persistenceWords(false, true)).toMatch(/was asked, and did not promise/);
    expect(persistenceWords(false, false)).toMatch(/may clear what lies here/);
    expect(persistenceWords(null, false)).toMatch(/does not say/);
  });
});

describe("what came of opening", () => {
  const hand = (name: string) => ({ id: name, name, source: "own" as const, createdAt: 1, seed: 1 });
  const opened = (more: Partial<Opened>): string[] => openedWords({ added: [], kept: [], needed: [], ...more });

  it("names hands that came, hands that were here, and models that are needed", () => {
    expect(opened({ added: [hand("a"), hand("b")], kept: [hand("c")] })).toEqual(["Added: “a”, “b”.", "Here already, and left as it is: “c”."]);
    expect(opened({ added: [hand("a")], needed: [{ name: "Qwen3-0.6B", sha256: "x" }] })[1]).toMatch(/^Not here yet: the model “Qwen3-0\.6B”\. Bring it in/);
    expect(opened({ added: [hand("a")], needed: [{ name: "A", sha256: "x" }, { name: "B", sha256: "y" }, { name: "ductus-base", sha256: "z" }] }).slice(1)).toEqual([expect.stringMatching(/the models “A”, “B”\. Bring them in/), expect.stringMatching(/another version of the model that comes with the site/)]);
    expect(opened({})).toEqual(["There was no hand in it."]);
  });
});

describe("the device in words", () => {
  it("says what is there, and why there are no more threads", () => {
    const look = { gpu: "none" as const, threads: 4, cores: 4, isolated: true, secure: true };
    expect(deviceFacts(look)).toEqual([["Graphics processor", "none that this browser offers to pages (WebGPU)"], ["Processor", "4 threads of 4"], ["Isolated page", "yes: several threads may share memory"]]);
    expect(deviceFacts({ ...look, gpu: "emulated", threads: 1, isolated: false }).map(([, value]) => value)).toEqual([expect.stringMatching(/only emulated/), "1 thread of 4; more need an isolated page", expect.stringMatching(/^no: the server/)]);
    expect(deviceFacts({ ...look, gpu: "real", threads: 2, isolated: false, secure: false })[2]?.[1]).toMatch(/address is not a secure one/);
    expect(deviceFacts({ ...look, threads: 4, cores: 8 })[1]?.[1]).toMatch(/more did not make it quicker/);
  });

  it("says how each test ended, with what a report needs", () => {
    const test = (more: Partial<DeviceTest>): DeviceTest => ({ kind: "wasm", result: "passed", emulated: false, threads: 2, sumMs: 3.21, details: "", ...more });
    expect(testWords(test({}))).toBe("The processor, with 2 threads, calculates correctly (3.2 ms for a short sum).");
    expect(testWords(test({ kind: "webgpu", emulated: true, sumMs: 41.7 }))).toBe("The graphics processor, emulated, calculates correctly (42 ms for a short sum).");
    expect(testWords(test({ kind: "webgpu", result: "wrong", sumMs: null }))).toMatch(/gave wrong results, so nothing is trained on it/);
    expect(testWords(test({ result: "stuck", sumMs: null }))).toMatch(/could not run the test/);
    expect(testWords(test({ kind: "webgpu", result: "absent" }))).toMatch(/no graphics processor/);
    expect(testDetails([test({}), test({ kind: "webgpu", result: "wrong", emulated: true, sumMs: null, details: "vendor\nthe gradient of x is off by 100.0 %" })], "A browser").split("\n")).toEqual(["A browser", "wasm: passed, 2 threads, 3.21 ms", "webgpu: wrong, emulated, 2 threads", "  vendor", "  the gradient of x is off by 100.0 %"]);
  });
});
