/** Choosing a device where there is a graphics processor: emulated, sound, broken in several ways, or lost at work. */
import { expect } from "@playwright/test";
import { opening } from "./device.checks";
import { test, tinyCase } from "./fixture";
import type { Work } from "./loss";
import type { Fault } from "./probes";

test('"auto" passes over an emulated graphics processor', async ({ engine }) => {
  const { report, gpusLost } = await opening(engine, "auto");
  expect(report.kind).toBe("wasm");
  expect(report.reason).toContain("only emulated");
  expect(gpusLost).toEqual([true]);
});

test('"webgpu" passes the self-test on it and uses it', async ({ engine }) => {
  const { report, gpusLost } = await opening(engine, "webgpu");
  expect(report).toMatchObject({ kind: "webgpu", reason: "" });
  expect(gpusLost).toEqual([false]);
});

const FAULTS: [Fault, RegExp][] = [
  ["no adapter", /^The browser found no graphics processor it can use\.$/],
  ["throws", /^The graphics processor could not be opened .*the driver is gone/],
  ["refuses", /^The graphics processor could not be opened .*limits not met/],
  ["lost at once", /./],
  ["wrong gradients", /^The graphics processor failed its self-test: the gradient of \w+ is off by \d/],
];
for (const [fault, reason] of FAULTS) {
  test(`a graphics processor that is broken (${fault}): wasm, with the reason`, async ({ engine }) => {
    const { report } = await opening(engine, "webgpu", fault);
    console.log(report.reason);
    expect(report.kind).toBe("wasm");
    expect(report.reason).toMatch(reason);
  });
}

const WORKS: [Work, string][] = [["steps", "training steps"], ["tokens", "generation"], ["run", "a whole run"]];
for (const [work, name] of WORKS) {
  test(`a graphics processor lost during ${name}: a typed error, nothing held, and work goes on with another device`, async ({ engine }) => {
    const { error, lost, openSessions, afterwards } = await engine.call("loseDeviceWhile", work, tinyCase("qwen3-untied"));
    console.log(error, lost, openSessions, afterwards);
    expect(error?.code).toBe("device/lost");
    expect(lost).toMatch(/./);
    expect(openSessions).toBe(0);
    expect(afterwards).toEqual([expect.objectContaining({ kind: "wasm", reason: "" }), expect.objectContaining({ kind: "webgpu", reason: "" })]);
  });
}
