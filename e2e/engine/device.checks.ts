/** What a choice of device must give, whatever was chosen: the loss that Node computes, and nothing left open. */
import { expect } from "@playwright/test";
import { measuredInNode, tinyCase, type Engine } from "./fixture";
import type { Opening } from "./harness";
import type { Fault } from "./probes";

const tiny = tinyCase("qwen3-untied");

export async function opening(engine: Engine, preference: "auto" | "webgpu" | "wasm", fault: Fault | null = null): Promise<Opening> {
  const opened = await engine.call("openDevice", preference, fault, tiny);
  const { reference } = await measuredInNode(tiny);
  expect(Math.abs(opened.loss / reference.scalars["lora loss"]! - 1)).toBeLessThan(1e-5);
  expect(opened.openSessions).toBe(0);
  // What was tried and not chosen is given back; what was chosen is still there.
  expect(opened.gpusLost.filter((lost) => !lost)).toHaveLength(opened.report.kind === "webgpu" ? 1 : 0);
  return opened;
}
