import { expect } from "@playwright/test";
import { test } from "./fixture";
import { runsTakeTurns } from "./overlap.checks";

runsTakeTurns("wasm");

// On WebGPU such runs hang or corrupt the heap, so that wasm stands for both.
test("runs past the lock would be counted (control)", async ({ engine }) => {
  expect(await engine.call("overlapUnlocked")).toBeGreaterThan(0);
});
