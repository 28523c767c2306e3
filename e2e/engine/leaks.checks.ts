/** Trainers made and disposed of leave nothing behind: sessions, wasm memory, buffers on the graphics device. */
import { expect } from "@playwright/test";
import { test, tinyCase } from "./fixture";
import type { DeviceName } from "./harness";

/** Tensors that stay on the device, and the sessions that they came from. */
export function noTensorLeaks(device: DeviceName, cycles: number): void {
  test(`${device}: ${cycles} sessions with tensors on the device, used and disposed of, leave nothing behind`, async ({ engine }) => {
    const report = await engine.call("residentCycles", device, cycles, true);
    expect(report.wrong).toBe(0);
    for (const counts of [report.openSessions, report.tensors, report.gpuBuffers, report.gpuBytes]) expect(counts).toEqual(Array<number>(cycles).fill(0));
    expect(report.wasmBytes.at(-1)).toBe(report.wasmBytes[1]);
  });

  test(`${device}: tensors that are not disposed of would be noticed (control)`, async ({ engine }) => {
    const { tensors, gpuBuffers, gpuBytes } = await engine.call("residentCycles", device, 3, false);
    expect(tensors).toEqual([4, 8, 12]);
    for (const held of device === "webgpu" ? [gpuBuffers, gpuBytes] : []) expect(held.at(-1)).toBeGreaterThan(held[0]!);
  });
}

/** @param cycles enough that what a cycle leaves behind must make the wasm memory grow */
export function nothingLeaks(device: DeviceName, cycles: number, leakingCycles: number): void {
  // A software adapter takes long to make the streamed execution's kernels, and makes them anew in each cycle.
  const streamed = device === "wasm" || process.env["DUCTUS_LONG"] === "1";
  test(`${device}: ${cycles} trainers, made, used and disposed of, leave nothing behind`, async ({ engine }) => {
    const report = await engine.call("leakCycles", device, cycles, true, streamed, tinyCase("qwen3-untied"));
    expect(report.openSessions).toEqual(Array<number>(cycles).fill(0));
    expect(report.gpuBytes).toEqual(Array<number>(cycles).fill(0));
    expect(report.gpuBuffers).toEqual(Array<number>(cycles).fill(0));
    expect(report.wasmBytes[0]).toBeGreaterThan(0);
    expect(report.wasmBytes.at(-1)).toBe(report.wasmBytes[1]);
  });

  test(`${device}: trainers that are not disposed of would be noticed (control)`, async ({ engine }) => {
    const { openSessions, wasmBytes, gpuBuffers, gpuBytes } = await engine.call("leakCycles", device, leakingCycles, false, false, tinyCase("qwen3-untied"));
    expect(openSessions.at(-1)).toBe(2 * leakingCycles); // training and scoring
    for (const held of device === "webgpu" ? [gpuBuffers, gpuBytes] : [wasmBytes]) expect(held.at(-1)).toBeGreaterThan(held.at(device === "webgpu" ? 0 : 1)!);
  });
}
