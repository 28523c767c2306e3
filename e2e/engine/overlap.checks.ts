/** Runs started in parallel take their turns in the runtime, and each gives what it gives alone. */
import { expect } from "@playwright/test";
import { test, tinyCase } from "./fixture";
import type { DeviceName } from "./harness";

export function runsTakeTurns(device: DeviceName): void {
  test(`${device}: runs of two sessions, started in parallel, take turns and are right`, async ({ engine }) => {
    const { overlapping, different, runs } = await engine.call("overlap", device, tinyCase("qwen3-untied"));
    expect(runs).toBe(4);
    expect(overlapping).toBe(0);
    expect(different).toBe(0);
  });
}
