/** Trainers made and disposed of leave nothing behind: sessions, wasm memory, buffers on the graphics device. */
import { expect } from "@playwright/test";
import { test, tinyCase } from "./fixture";
import type { DeviceName } from "./harness";

const CYCLES = process.env["DUCTUS_LONG"] === "1" ? 100 : 30;
/** By then caches are filled. */
const WARM = 5;

export function nothingLeaks(device: DeviceName): void {
  test(`${device}: ${CYCLES} trainers, made, used and disposed of, leave nothing behind`, async ({ engine }) => {
    const report = await engine.call("leakCycles", device, CYCLES, true, tinyCase("qwen3-untied"));
    console.log(JSON.stringify(report));
    expect(report.openSessions).toEqual([...Array<number>(CYCLES).fill(1), 0]); // one is kept open beside them
    for (const held of [report.wasmBytes, report.gpuBuffers, report.gpuBytes]) {
      expect(held).toHaveLength(CYCLES + 1);
      expect(Math.max(...held)).toBe(Math.max(...held.slice(0, WARM)));
    }
    expect(report.wasmBytes[0]).toBeGreaterThan(0);
    expect(report.gpuBuffers[0]! > 0).toBe(device === "webgpu");
    expect(report.gpuBytes.at(-1)).toBe(0);
  });

  test(`${device}: trainers that are not disposed of would be noticed (control)`, async ({ engine }) => {
    const cycles = 10;
    const report = await engine.call("leakCycles", device, cycles, false, tinyCase("qwen3-untied"));
    console.log(JSON.stringify(report));
    expect(report.openSessions.at(-1)).toBe(2 * cycles); // training and scoring
    const held = device === "webgpu" ? report.gpuBuffers : report.wasmBytes;
    expect(held.at(-1)).toBeGreaterThan(Math.max(...held.slice(0, WARM)));
  });
}
