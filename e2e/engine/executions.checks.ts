/** The rows "streamed = whole: 1e-6" and "Node = wasm = WebGPU: 1e-5" on one device, with weights held as f32, f16, 8 and 4 bits. */
import { expect } from "@playwright/test";
import type { Storage } from "../../lib/train/model/held";
import { openNode } from "../../lib/train/runtime/node";
import { executed } from "./executions";
import { deviations, report, test, tinyCase } from "./fixture";
import type { DeviceName } from "./harness";

const CASES: [model: string, storage: Storage, recompute: boolean][] = [
  ["qwen3-untied", "f32", false], ["qwen2-tied", "f16", true], ["qwen2-tied", "q8", false], ["qwen2-tied", "q4", true],
];

export function executionsAgree(device: DeviceName): void {
  test(`${device}: streamed computes what the whole model does, and both what Node does, in f32, f16, 8 and 4 bits`, async ({ engine }) => {
    const cases = CASES.map(([model, storage, recompute]) => ({ tiny: tinyCase(model), storage, recompute }));
    const onNode = await executed(openNode(), cases), onDevice = await engine.call("executed", device, cases);
    const losses = new Set<number>();
    for (const [i, [model, storage]] of CASES.entries()) {
      const { whole: inNode } = onNode[i]!, { whole, streamed } = onDevice[i]!;
      const found = { "streamed from whole": deviations(streamed, whole), "whole from Node": deviations(whole, inNode), "streamed from Node": deviations(streamed, inNode) };
      for (const [what, all] of Object.entries(found)) {
        const name = `${model}, ${storage}: ${what}`;
        report(name, all);
        for (const { worst, of } of all) expect(worst, `${name}, ${of}`).toBeLessThan(what === "streamed from whole" ? 1e-6 : 1e-5);
      }
      losses.add(whole.scalars["lora loss"]!);
    }
    expect(losses.size).toBe(CASES.length); // the form of the weights matters
  });
}
