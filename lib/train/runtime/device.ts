/**
 * Chooses where to compute: WebGPU where there is a real one whose gradients
 * pass the self-test, else wasm, and says why. For workers; tests and tools use
 * node.ts.
 */
import { DuctusError } from "../../core/errors";
import type { DeviceReport } from "../../store/types";
import type { Backend } from "./backend";
import { COULD_NOT_RUN, gradientSelfTest } from "./selftest";
import { defaultThreads } from "./threads";
import { openWasm, openWebGpu } from "./web";

export interface OpenedDevice {
  backend: Backend;
  report: DeviceReport;
}

/**
 * @param preference "auto" passes over a WebGPU that is emulated on the processor; "webgpu" tries it all the same
 * @param threads for the processor path; the same count gives equal bits again. The first device opened in a worker settles it for that worker.
 * @throws DuctusError `device/start` when the runtime does not start, `device/untrustworthy` when not even the processor computes correct gradients
 */
export async function openDevice(preference: "auto" | "webgpu" | "wasm", threads = defaultThreads()): Promise<OpenedDevice> {
  let reason = "", details: string | undefined;
  if (preference !== "wasm") {
    const gpu = await tryWebGpu(preference === "webgpu", threads);
    if ("backend" in gpu) return gpu;
    ({ reason, details } = gpu);
  }
  const backend = await openWasm(threads);
  const fault = await gradientSelfTest(backend);
  if (fault?.startsWith(COULD_NOT_RUN)) {
    throw new DuctusError("device/start", "The part that computes could not be started in this browser.",
      "Check the connection, close other tabs to free memory, and reload the page.", { details: fault });
  }
  if (fault !== null) {
    throw new DuctusError("device/untrustworthy", "This browser does not compute correctly enough to train a model.",
      "Update the browser or try another one.", { details: `wasm, ${backend.threads} threads: ${fault}` });
  }
  if (backend.threads === 1 && !globalThis.crossOriginIsolated) reason = [reason, "The page is not isolated, so only one thread may be used."].filter(Boolean).join(" ");
  return { backend, report: { kind: "wasm", threads: backend.threads, reason, ...(details === undefined ? {} : { details }) } };
}

/** The opened device, or in words why not, with what the browser said of it for a bug report. */
async function tryWebGpu(evenEmulated: boolean, threads: number): Promise<OpenedDevice | { reason: string; details?: string }> {
  let backend: Backend | null = null;
  try {
    const opened = await openWebGpu(threads);
    backend = opened.backend;
    if (opened.emulated && !evenEmulated) {
      await backend.dispose();
      return { reason: "The browser's graphics processor is only emulated, which is slower than the processor itself." };
    }
    const fault = await gradientSelfTest(backend);
    if (fault === null) return { backend, report: { kind: "webgpu", threads: backend.threads, reason: "" } };
    await backend.dispose();
    return { reason: `The graphics processor failed its self-test: ${fault}.` };
  } catch (error) {
    await backend?.dispose();
    if (error instanceof DuctusError) return { reason: error.message, ...(error.details === undefined ? {} : { details: error.details }) };
    return { reason: "The graphics processor could not be opened.", details: String(error) };
  }
}
