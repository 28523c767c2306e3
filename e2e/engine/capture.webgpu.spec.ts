/** Graph capture: replays compute what plain runs do, and the self-test says where they would not. */
import { expect } from "@playwright/test";
import { test } from "./fixture";

const RUNS = 5;

test("a captured graph computes what a plain one does, over runs with changing inputs; one that cannot be captured is refused", async ({ engine }) => {
  const report = await engine.call("captured", RUNS);
  expect(report.differences).toHaveLength(RUNS);
  for (const difference of report.differences) expect(difference).toBeLessThan(1e-6);
  expect(report.bindGroups.plain).toBeGreaterThan(0);
  expect(report.bindGroups.captured).toBe(0);
  expect(report.overwritten).toBeLessThan(1e-6);
  expect(report).toMatchObject({ refused: { code: "graph/capture" }, openSessions: 0, tensors: 0, gpuBuffers: 0 });
});

test("the self-test for capture finds no fault here, and finds replays of old inputs", async ({ engine }) => {
  test.skip(process.env["DUCTUS_LONG"] !== "1", "a minute and a half on the software adapter: long mode only");
  const { sound, stale } = await engine.call("captureFaults");
  expect(sound).toBeNull();
  expect(stale).toMatch(/^run 2 of a captured graph gives another \w+ \(off by /);
});
