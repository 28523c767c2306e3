/**
 * What this browser offers for the work, in words, before anything is loaded. A
 * first look only: the workers test the device before they train on it, and
 * their report says what was used.
 */
import { measuredThreads } from "../../lib/store/threads";
import { defaultThreads } from "../../lib/train/runtime/threads";

export interface DeviceOutlook {
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

export async function lookAtDevice(): Promise<DeviceOutlook> {
  const gpu = (navigator as Navigator & { gpu?: GpuLike }).gpu;
  let webgpu = false;
  try {
    const adapter = gpu === undefined ? null : await gpu.requestAdapter();
    webgpu = adapter !== null && adapter.info?.isFallbackAdapter !== true;
  } catch {
    // A browser may offer WebGPU and then refuse it; the processor does the work.
  }
  const threads = (await measuredThreads()) ?? defaultThreads();
  const processor = threads === 1 ? "one thread of the processor" : `${threads} threads of the processor`;
  if (webgpu) {
    return { webgpu, threads, headline: "Graphics processor (WebGPU)", detail: `It is tested first. If its sums are not right, ${processor} will do the work.` };
  }
  return {
    webgpu,
    threads,
    headline: threads === 1 ? "Processor, one thread" : `Processor, ${threads} threads`,
    detail: crossOriginIsolated ? "This browser offers no graphics processor (WebGPU) to pages here. The processor does the same work, only more slowly." : whyOneThread(),
  };
}

/** Threads need an isolated page, and that needs a secure address, which "http://" to another machine is not. */
function whyOneThread(): string {
  if (isSecureContext) return "The page is not isolated, so only one thread may be used. It works, slowly.";
  return `The address ${location.origin} is not a secure one, and to such pages the browser gives one thread, no graphics processor and no room for models. It works, slowly. Open the page over https, or at http://localhost on the machine that serves it, and it runs several times as fast.`;
}
