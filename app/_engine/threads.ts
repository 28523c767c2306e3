/**
 * Finds out, once for each device, how many threads of the processor are
 * quickest, and remembers it for the workers. Only where it is worth asking: few
 * cores are all used, as are those of a page that is not isolated.
 */
import { getSetting, setSetting } from "../../lib/store/hands";
import { calibrateThreads } from "../../lib/train/runtime/calibrate";
import { defaultThreads, threadCandidates } from "../../lib/train/runtime/threads";
import type { ThreadsApi } from "../../workers/protocol";
import { WorkerHost } from "./worker-host";

/** Up to here all cores are best. */
const FEW_CORES = 4;

/** @param signal ends it, as when a run begins, whose work would spoil the times (and be slowed by them) */
export async function learnThreads(signal: AbortSignal): Promise<void> {
  const cores = navigator.hardwareConcurrency || 1;
  if (cores <= FEW_CORES || !crossOriginIsolated || (await getSetting("threads"))?.cores === cores) return;
  const { threads } = await calibrateThreads(async (count) => {
    signal.throwIfAborted();
    const host = new WorkerHost<ThreadsApi>(() => new Worker(new URL("../../workers/threads.worker.ts", import.meta.url), { type: "module", name: "ductus-threads" }));
    const end = (): void => host.end();
    signal.addEventListener("abort", end);
    try {
      return await host.call((timer) => timer.time(count));
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  }, [...new Set([...threadCandidates(cores), defaultThreads()])].sort((a, b) => a - b));
  if (!signal.aborted) await setSetting("threads", { cores, threads });
}
