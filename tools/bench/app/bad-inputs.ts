/**
 * `app.bad_inputs`: damaged and hostile files of every format, equal shares of
 * each, imported in a Node process that is ended where a file computes for more
 * than five seconds or takes too much memory; a fresh one goes on behind that
 * file. Counted are those that were refused in clear words or read to the right
 * text. The files are those of the unit tests' generator, by another seed.
 */
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleThread } from "../../../lib/core/testing/watched-thread";
import { FORMATS } from "../../../lib/data/import/types";
import { filesOf, type ImportFuzzOrder, type ImportFuzzReport } from "../../../lib/data/testing/import-fuzz-order";
import { aim, type Line } from "../measure";

export const BAD_INPUTS = "app.bad_inputs";
/** Of the processor's time where the system tells it, so that a busy machine hangs no file; else by the clock. */
const FILE_MS = 5000;
/** A process that neither computes nor says anything. */
const SILENCE_MS = 60_000;
const HEAP_MB = 1024, RESIDENT_MB = 1600;
const TICK_MS = 100;
/** Of the long lines and runs of hostile files, in characters. */
const LINE_LENGTH = 200_000;
const SHOWN_FAULTS = 10;

/** What came of a file, in the end. `lost`: neither refused in clear words nor read to the right text. */
export type Fate = "read" | "refused" | "left out" | "lost" | "hang" | "memory" | "crash";

export interface Outcome {
  fate: Fate;
  /** Which file, by its format, its round and what was done to it. */
  file: string;
  why?: string;
}

const fileOf = ({ format, round, how }: ImportFuzzReport): string => `${format} ${round} (${how})`;

/** @param died why the process ended before its order; null where it did not */
export function outcomesOf(reports: readonly ImportFuzzReport[], died: { fate: Fate; why: string } | null): Outcome[] {
  const outcomes = reports.flatMap((report): Outcome[] => {
    if (report.at === "begin" || report.at === "end") return [];
    return [{ fate: report.at === "failed" ? "lost" : report.at, file: fileOf(report), ...(report.why === undefined ? {} : { why: report.why }) }];
  });
  const last = reports.at(-1);
  if (died !== null && last?.at === "begin") outcomes.push({ fate: died.fate, file: fileOf(last), why: died.why });
  return outcomes;
}

export function badInputsLine(inputs: number, outcomes: readonly Outcome[], seconds: number, peakMb: number): Line {
  const count = (fate: Fate) => outcomes.filter((outcome) => outcome.fate === fate).length;
  const counts = { read: count("read"), refused: count("refused"), leftOut: count("left out"), lost: count("lost"), hangs: count("hang"), outOfMemory: count("memory"), crashes: count("crash") };
  const value = counts.read + counts.refused + counts.leftOut;
  const faults = outcomes.filter(({ fate }) => !["read", "refused", "left out"].includes(fate));
  return {
    name: BAD_INPUTS, value, unit: "files", n: inputs, ...aim(value, "≥", inputs), ...counts, peakMb: Math.round(peakMb), seconds: Math.round(seconds),
    ...(faults.length > 0 ? { faults: faults.slice(0, SHOWN_FAULTS) } : {}),
    note: `of ${inputs} files of ${FORMATS.length} formats, three quarters of them valid ones that were changed, refused in clear words or read to the right text; each had ${FILE_MS / 1000} s of the processor and ${RESIDENT_MB} MB`,
  };
}

interface Ran {
  reports: ImportFuzzReport[];
  died: { fate: Fate; why: string } | null;
  peakMb: number;
}

/** @param inputs at least so many in all, a whole number of each format */
export async function measureBadInputs(inputs: number): Promise<Line> {
  const folder = mkdtempSync(join(tmpdir(), "ductus-bench-"));
  const script = join(folder, "child.cjs");
  const startedAt = performance.now();
  try {
    writeFileSync(script, await bundleThread(new URL("bad-inputs-child", import.meta.url)));
    const order: ImportFuzzOrder = { each: Math.ceil(inputs / FORMATS.length), step: 1, seed: "bench", from: 0, lineLength: LINE_LENGTH };
    const outcomes: Outcome[] = [];
    let peakMb = 0;
    for (let from = 0; from < filesOf(order); ) {
      const { reports, died, peakMb: peak } = await runChild(script, { ...order, from });
      outcomes.push(...outcomesOf(reports, died));
      peakMb = Math.max(peakMb, peak);
      const last = reports.at(-1);
      if (last === undefined) throw new Error(`Nothing was imported: ${died?.why ?? "the process said nothing"}`);
      from = last.index + 1;
    }
    return badInputsLine(filesOf(order), outcomes, (performance.now() - startedAt) / 1000, peakMb);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runChild(script: string, order: ImportFuzzOrder): Promise<Ran> {
  const child = fork(script, { execArgv: [`--max-old-space-size=${HEAP_MB}`], stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const reports: ImportFuzzReport[] = [];
  let said = "", peakMb = 0, ticker: NodeJS.Timeout | undefined;
  child.stderr?.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  try {
    const died = await new Promise<Ran["died"]>((resolve) => {
      let heardAt = performance.now(), heardMs = 0;
      const pid = child.pid ?? 0;
      ticker = setInterval(() => {
        const silentMs = performance.now() - heardAt;
        const computedMs = processorMs(pid);
        const residentMb = residentMbOf(pid);
        peakMb = Math.max(peakMb, residentMb);
        if ((computedMs === null ? silentMs : computedMs - heardMs) > FILE_MS) resolve({ fate: "hang", why: `it computed for more than ${FILE_MS} ms` });
        else if (silentMs > SILENCE_MS) resolve({ fate: "hang", why: `nothing came for ${SILENCE_MS} ms` });
        else if (residentMb > RESIDENT_MB) resolve({ fate: "memory", why: `it took more than ${RESIDENT_MB} MB` });
      }, TICK_MS);
      child.on("message", (report: ImportFuzzReport) => {
        heardAt = performance.now();
        heardMs = processorMs(pid) ?? 0;
        // Of a file, only what came of it, or that it was begun.
        if (reports.at(-1)?.at === "begin") reports.pop();
        reports.push(report);
        if (report.at === "end") resolve(null);
      });
      child.once("exit", (code, signal) => resolve({ fate: said.includes("heap out of memory") ? "memory" : "crash", why: `the process ended (${signal ?? code ?? "?"}): ${said.slice(-500)}` }));
      child.send(order);
    });
    return { reports, died, peakMb };
  } finally {
    clearInterval(ticker);
    child.kill("SIGKILL");
  }
}

/** Ticks of the clock that Linux counts by, in ms. */
const CLOCK_TICK_MS = 10;

/** What a process has computed so far; null where the system does not tell. */
export function processorMs(pid: number): number | null {
  try {
    // utime and stime, the 14th and 15th field; the 2nd is a name in brackets, which may have spaces (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
    return CLOCK_TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}

/** What a process has in memory, in MB; 0 where the system does not tell. */
export function residentMbOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}
