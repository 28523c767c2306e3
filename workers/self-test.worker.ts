/**
 * Tries a device with sums whose right results are known, and times it: the
 * self-test that runs before every training, for the settings page. In a worker
 * of its own, which is ended afterwards, so that nothing of it stays in memory.
 */
import { expose } from "comlink";
import { DuctusError } from "../lib/core/errors";
import { measuredThreads } from "../lib/store/threads";
import type { Backend } from "../lib/train/runtime/backend";
import { timeBackend } from "../lib/train/runtime/calibrate";
import { COULD_NOT_RUN, gradientSelfTest } from "../lib/train/runtime/selftest";
import { defaultThreads } from "../lib/train/runtime/threads";
import { openWasm, openWebGpu } from "../lib/train/runtime/web";
import type { DeviceTest, SelfTestApi } from "./keeper-protocol";
import { reportRequests } from "./requests";
import { registerTransferHandlers } from "./transfer";

async function test(kind: DeviceTest["kind"]): Promise<DeviceTest> {
  const threads = (await measuredThreads()) ?? defaultThreads();
  const none = { kind, emulated: false, threads, sumMs: null };
  let opened: { backend: Backend; emulated: boolean };
  try {
    opened = kind === "webgpu" ? await openWebGpu(threads) : { backend: await openWasm(threads), emulated: false };
  } catch (error) {
    const absent = error instanceof DuctusError && error.code === "device/no-webgpu";
    return { ...none, result: absent ? "absent" : "stuck", details: error instanceof Error ? error.message : String(error) };
  }
  const { backend, emulated } = opened;
  const about = kind === "webgpu" ? await graphicsProcessor() : `${threads} of ${navigator.hardwareConcurrency || 1} threads`;
  const fault = await gradientSelfTest(backend);
  const sumMs = fault === null ? await timeBackend(backend).catch(() => null) : null;
  await backend.dispose();
  return { ...none, threads: backend.threads, emulated, sumMs, result: fault === null ? "passed" : fault.startsWith(COULD_NOT_RUN) ? "stuck" : "wrong", details: [about, fault].filter(Boolean).join("\n") };
}

/** What the browser says of it. */
async function graphicsProcessor(): Promise<string> {
  const { vendor, architecture, device, description } = (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }))?.info ?? { vendor: "", architecture: "", device: "", description: "" };
  return [vendor, architecture, device, description].filter(Boolean).join(" ");
}

const api: SelfTestApi = { test };

reportRequests();
registerTransferHandlers();
expose(api);
