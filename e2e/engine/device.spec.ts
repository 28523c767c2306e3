/** Choosing a device in a browser without a graphics processor. */
import { expect } from "@playwright/test";
import { opening } from "./device.checks";
import { test } from "./fixture";

for (const preference of ["auto", "webgpu"] as const) {
  test(`"${preference}" without a graphics processor: wasm, with the reason`, async ({ engine }) => {
    const { report } = await opening(engine, preference);
    expect(report.kind).toBe("wasm");
    expect(report.threads).toBeGreaterThan(1);
    expect(report.reason).toMatch(/^(This browser has no WebGPU\.|The browser found no graphics processor it can use\.)$/);
  });
}

test("a browser that knows no WebGPU says so", async ({ engine }) => {
  const { report } = await opening(engine, "auto", "absent");
  expect(report).toMatchObject({ kind: "wasm", reason: "This browser has no WebGPU." });
});

test("wasm when asked for: no reason is needed", async ({ engine }) => {
  const { report } = await opening(engine, "wasm");
  expect(report).toMatchObject({ kind: "wasm", reason: "" });
});

test("a page that is not isolated computes on one thread, and says why", async ({ openEngine }) => {
  const { report } = await opening(await openEngine({ isolated: false }), "wasm");
  expect(report).toEqual({ kind: "wasm", threads: 1, reason: "The page is not isolated, so only one thread may be used." });
});
