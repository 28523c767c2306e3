/**
 * The row "Node = Chromium wasm = Chromium WebGPU (tiny model, gradients and 5
 * steps): 1e-5" on one device, and the rows of PyTorch's values on it.
 */
import { expect } from "@playwright/test";
import { deviations, measuredInNode, MODELS, pytorchValues, report, test, tinyCase } from "./fixture";
import type { DeviceName } from "./harness";

const CLOSE = 1e-5;
const OF_PYTORCH: Record<string, number> = { "lora loss": 1e-5, "lora grad": 1e-4, step: 1e-4 };

export function parityWithNode(device: DeviceName, threads: number): void {
  // A software adapter takes a second for each pass.
  const referenceSteps = device === "wasm" || process.env["DUCTUS_LONG"] === "1";
  for (const name of MODELS) {
    test(`${name}: ${device} with ${threads} ${threads === 1 ? "thread" : "threads"} computes what Node and PyTorch do`, async ({ engine }) => {
      const tiny = tinyCase(name);
      const expected = await measuredInNode(tiny);
      const actual = await engine.call("measure", device, threads, tiny, referenceSteps);
      const fromNode = deviations(actual.close, expected.close);
      const fromPytorch = deviations(actual.reference, pytorchValues(tiny, referenceSteps));
      report("from Node", fromNode);
      report("from PyTorch", fromPytorch);
      expect(actual.tokens).toEqual(expected.tokens);
      for (const { worst, of } of fromNode) expect(worst, of).toBeLessThan(CLOSE);
      for (const { kind, worst, of } of fromPytorch) expect(worst, of).toBeLessThan(OF_PYTORCH[kind]!);
      // Two builds of the runtime never agree to the last bit: they would here only if one were compared with itself.
      expect(Math.max(...fromNode.map(({ worst }) => worst))).toBeGreaterThan(0);
    });
  }
}
