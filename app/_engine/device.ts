/**
 * What this browser offers for the work, in words, before anything is loaded. A
 * first look only: the workers test the device before they train on it, and
 * their report says what was used.
 */
import { getSetting, type Setting } from "../../lib/store/hands";
import { measuredThreads } from "../../lib/store/threads";
import { defaultThreads } from "../../lib/train/runtime/threads";

/** Where the person wants the work done. */
export type DeviceChoice = Setting<"device">;

export interface DeviceOutlook {
  /** It will be tried first. */
  webgpu: boolean;
  /** Threads the processor path will have; 1 without cross-origin isolation. */
  threads: number;
  headline: string;
  detail: string;
}

/** The part of WebGPU that is asked here; its types belong to the workers. */
interface GpuLike {
  requestAdapter(): Promise<{ info?: { isFallbackAdapter?: boolean } } | null>;
}

/** Whether there is a graphics processor for pages; "emulated": the processor itself does its work, slowly. */
export async function graphicsProcessor(): Promise<"real" | "emulated" | "none"> {
  const gpu = (navigator as Navigator & { gpu?: GpuLike }).gpu;
  try {
    const adapter = gpu === undefined ? null : await gpu.requestAdapter();
    if (adapter === null) return "none";
    return adapter.info?.isFallbackAdapter === true ? "emulated" : "real";
  } catch {
    return "none"; // a browser may offer WebGPU and then refuse it; the processor does the work
  }
}

/** @param chosen what the person wants; absent: as it is stored */
export async function lookAtDevice(chosen?: DeviceChoice): Promise<DeviceOutlook> {
  const [gpu, choice] = await Promise.all([graphicsProcessor(), chosen ?? getSetting("device").catch(() => null)]);
  const webgpu = choice !== "wasm" && (gpu === "real" || (gpu === "emulated" && choice === "webgpu"));
  const threads = (await measuredThreads()) ?? defaultThreads();
  const processor = threads === 1 ? "one thread of the processor" : `${threads} threads of the processor`;
  if (webgpu) {
    const warning = gpu === "emulated" ? "You chose it in the settings. It is only emulated here, which is slower than the processor itself. " : "";
    return { webgpu, threads, headline: "Graphics processor (WebGPU)", detail: `${warning}It is tested first. If its sums are not right, ${processor} will do the work.` };
  }
  return {
    webgpu,
    threads,
    headline: threads === 1 ? "Processor, one thread" : `Processor, ${threads} threads`,
    detail: !crossOriginIsolated ? whyOneThread() : choice === "wasm" ? "You chose the processor in the settings." : "This browser offers no graphics processor (WebGPU) to pages here. The processor does the same work, only more slowly.",
  };
}

/** Threads need an isolated page, and that needs a secure address, which "http://" to another machine is not. */
function whyOneThread(): string {
  if (isSecureContext) return "The page is not isolated, so only one thread may be used. It works, slowly.";
  return `The address ${location.origin} is not a secure one, and to such pages the browser gives one thread, no graphics processor and no room for models. It works, slowly. Open the page over https, or at http://localhost on the machine that serves it, and it runs several times as fast.`;
}
