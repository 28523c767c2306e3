/** The row "resumed = uninterrupted, killed at every tenth step of 100": equal bits on wasm, within 1e-5 on WebGPU. */
import { expect } from "@playwright/test";
import { test, tinyCase } from "./fixture";
import type { DeviceName } from "./harness";

/** Each number in the lines of a log. */
const numbersIn = (log: readonly string[]) => log.flatMap((line) => [...line.matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g)].map(([text]) => Number(text)));

export function resumesExactly(device: DeviceName, steps: number, every: number): void {
  test(`${device}: a run of ${steps} steps, killed at each that is a multiple of ${every}, repeats the one that was not`, async ({ engine }) => {
    const { whole, cut, adaptersDiffer, differences } = await engine.call("resumed", device, steps, every, {}, tinyCase("qwen3-untied"));
    expect(whole.filter((line) => line.startsWith("step"))).toHaveLength(steps);
    expect(differences).toEqual([]);
    if (device === "wasm") {
      expect(cut).toEqual(whole);
      expect(adaptersDiffer).toBe(false);
      return;
    }
    const [expected, found] = [numbersIn(whole), numbersIn(cut)];
    expect(found).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(1e-5 * Math.abs(value));
  });
}
