/** What did the work, in words. */
import type { DeviceReport } from "../../lib/store/types";

export function deviceWords({ kind, threads }: DeviceReport): string {
  if (kind === "webgpu") return "graphics processor (WebGPU)";
  return `processor, ${threads === 1 ? "one thread" : `${threads} threads`}`;
}
