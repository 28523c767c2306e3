/** What did the work, in words. */
import type { DeviceReport } from "../../lib/store/types";

export function deviceWords({ kind, threads }: DeviceReport): string {
  if (kind === "webgpu") return "graphics processor (WebGPU)";
  return `processor, ${threads === 1 ? "one thread" : `${threads} threads`}`;
}

/** Why not a quicker device: a sentence, and apart from it what only those who mend the page can read. */
export function whyNotQuicker({ reason, details }: DeviceReport): { words: string; details: string } {
  const failed = /^(.*failed its self-test): (.*?)\.( The page is not isolated.*)?$/s.exec(reason);
  if (failed === null) return { words: reason, details: details ?? "" };
  return { words: `${failed[1] ?? ""}, so the processor did the work.${failed[3] ?? ""}`, details: [failed[2], details].filter(Boolean).join("\n") };
}
