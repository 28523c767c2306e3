/** The row "Node = Chromium wasm = Chromium WebGPU (tiny model, gradients and 5 steps): 1e-5", on one device. */
import { writeFileSync } from "node:fs";
import { expect } from "@playwright/test";
import { deviations, measuredInNode, MODELS, test, tinyCase, TOLERANCE } from "./fixture";
import type { DeviceName } from "./harness";

export function parityWithNode(device: DeviceName, threads: number): void {
  for (const name of MODELS) {
    test(`${name}: ${device} with ${threads} ${threads === 1 ? "thread" : "threads"} computes what Node does`, async ({ engine }) => {
      const tiny = tinyCase(name);
      const expected = await measuredInNode(tiny);
      const actual = await engine.call("measure", device, threads, tiny);
      writeFileSync(`/tmp/an/${device}${threads}-${name}.json`, JSON.stringify(actual, (_, v: unknown) => v instanceof Float32Array ? [...v] : v));
      const groups = deviations(actual, expected);
      console.log([...groups].map(([group, { worst, of }]) => `${group}: ${worst.toExponential(1)} (${of})`).join("\n"));
      expect(actual.tokens).toEqual(expected.tokens);
      for (const [, { worst, of }] of groups) expect(worst, of).toBeLessThan(TOLERANCE);
      // Two builds of the runtime never agree to the last bit: they would here only if one were compared with itself.
      expect(Math.max(...[...groups.values()].map(({ worst }) => worst))).toBeGreaterThan(0);
    });
  }
}
