/** Choosing a device where there is a graphics processor: emulated, sound, broken in several ways, or lost at work. */
import { expect } from "@playwright/test";
import { opening } from "./device.checks";
import { test, tinyCase } from "./fixture";
import type { Work } from "./loss";
import type { Fault } from "./probes";
import type { Moment } from "./resident";

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
  ["throws", /^The graphics processor could not be opened\. .*the driver is gone/],
  ["refuses", /^The graphics processor could not be opened\. .*limits not met/],
  ["lost at once", /^The graphics processor failed its self-test: .*was reset/],
  ["wrong gradients", /^The graphics processor failed its self-test: the gradient of \w+ is off by \d/],
];
for (const [fault, reason] of FAULTS) {
  test(`a graphics processor that is broken (${fault}): wasm, with the reason`, async ({ engine }) => {
    const { report, spoiledKernels } = await opening(engine, "webgpu", fault);
    expect(spoiledKernels > 0, "kernels were altered").toBe(fault === "wrong gradients");
    expect(report.kind).toBe("wasm");
    expect([report.reason, report.details].filter(Boolean).join(" ")).toMatch(reason);
  });
}

const WORKS: [Work, string][] = [["tokens", "generation"], ["run", "a training run"]];
for (const [work, name] of WORKS) {
  test(`a graphics processor lost during ${name}: a typed error, nothing held, no hang`, async ({ engine }) => {
    const reopen = work === "tokens"; // its self-test takes a software adapter seconds
    const { error, lost, openSessions, afterwards } = await engine.call("loseDeviceWhile", work, reopen, tinyCase("qwen3-untied"));
    expect(error?.code).toBe("device/lost");
    expect(lost).toMatch(/./);
    expect(openSessions).toBe(0);
    if (reopen) expect(afterwards).toMatchObject({ kind: "webgpu", reason: "" });
  });
}

test("a graphics processor lost with tensors on it: typed errors, nothing held, and the next device works in the same worker", async ({ engine }) => {
  for (const moment of ["compute", "upload", "read", "before"] satisfies Moment[]) {
    const report = await engine.call("loseResident", moment);
    expect(report.error?.code, moment).toBe("device/lost");
    // Upload, read, compute, create; a session that met the loss itself is closed.
    const closed = moment === "compute" || moment === "before";
    expect(report.later.map((error) => error?.code), moment).toEqual(["device/lost", "device/lost", closed ? "device/released" : "device/lost", "device/lost"]);
    expect(report, moment).toMatchObject({ openSessions: 0, tensors: 0, again: 6, foreign: { code: "device/foreign" } });
  }
});
