/**
 * Finds out, once for each device, how many threads of the processor are
 * quickest and how quick they are, and remembers it for the workers and for what
 * is said of a run before it starts. Few cores are all used, and only timed; a
 * page that is not isolated has one thread.
 */
import { getSetting, setSetting } from "../../lib/store/hands";
import { calibrateThreads, defaultThreads, threadCandidates } from "../../lib/train/runtime/threads";
import type { ThreadsApi } from "../../workers/protocol";
import { WorkerHost } from "./worker-host";

/** Up to here all cores are best. */
const FEW_CORES = 4;

/** @param signal ends it, as when a run begins, whose work would spoil the times (and be slowed by them) */
export async function learnThreads(signal: AbortSignal): Promise<void> {
  const cores = navigator.hardwareConcurrency || 1;
  const known = await getSetting("threads");
  if (!crossOriginIsolated || (known?.cores === cores && known.ms !== undefined)) return;
  const candidates = cores <= FEW_CORES ? [cores] : [...new Set([...threadCandidates(cores), defaultThreads()])].sort((a, b) => a - b);
  const { threads, times } = await calibrateThreads(async (count) => {
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
  }, candidates);
  const ms = times.find((time) => time.threads === threads)?.ms ?? 0;
  if (!signal.aborted) await setSetting("threads", { cores, threads, ...(ms > 0 ? { ms } : {}) });
}
