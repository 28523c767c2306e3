/**
 * Runs a module in a thread of its own and watches it: one that computes for too
 * long over one thing, takes too much memory, dies or says nothing any more is
 * ended, and the reason given. Time is the processor's, not the clock's, so that
 * a busy machine makes no difference. Never part of the product.
 */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

export interface Watch {
  /** Of the heap of JavaScript. */
  heapMb: number;
  /** Of the process, beyond what it has at the beginning. */
  memoryMb?: number;
  /** Computed since the last report. */
  cpuMs?: number;
  /** By the clock, since the last report. */
  silenceMs: number;
}

export interface Ran<Report> {
  reports: Report[];
  /** Why it was ended before it said that it is at its end; null where it was not. */
  died: string | null;
}

const TICK_MS = 100;

/** A module and what it imports, as one script. @param url of the module, without ending */
export async function bundleThread(url: URL): Promise<string> {
  const { outputFiles } = await build({ entryPoints: [`${fileURLToPath(url)}.ts`], bundle: true, platform: "node", format: "cjs", write: false, logLevel: "silent" });
  return outputFiles[0]!.text;
}

/** @param script of a module that posts reports, the last of them `{ at: "end" }` */
export async function runThread<Report extends { at: string }>(script: string, workerData: unknown, { heapMb, memoryMb = Infinity, cpuMs = Infinity, silenceMs }: Watch): Promise<Ran<Report>> {
  const worker = new Worker(script, { eval: true, workerData, resourceLimits: { maxOldGenerationSizeMb: heapMb } });
  const reports: Report[] = [];
  const baseBytes = process.memoryUsage.rss();
  let heardAt = performance.now(), heardCpu = process.cpuUsage();
  let ticker: NodeJS.Timeout | undefined;
  try {
    const died = await new Promise<string | null>((resolve) => {
      ticker = setInterval(() => {
        const { user, system } = process.cpuUsage(heardCpu);
        if ((user + system) / 1000 > cpuMs) resolve(`it computed for more than ${cpuMs} ms`);
        else if (performance.now() - heardAt > silenceMs) resolve(`nothing came for ${silenceMs} ms`);
        else if (process.memoryUsage.rss() - baseBytes > memoryMb * 1_000_000) resolve(`it took more than ${memoryMb} MB`);
      }, TICK_MS);
      worker.on("message", (report: Report) => {
        heardAt = performance.now();
        heardCpu = process.cpuUsage();
        reports.push(report);
        if (report.at === "end") resolve(null);
      });
      worker.on("error", (error) => resolve(`the thread died: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`));
      worker.on("exit", () => resolve("the thread ended"));
    });
    return { reports, died };
  } finally {
    clearInterval(ticker);
    await worker.terminate();
  }
}
