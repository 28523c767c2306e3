/** What the device offers, and how it did in the self-test, in words. */
import type { DeviceTest } from "../../workers/keeper-protocol";
import { decimal, plural } from "../_components/format";

export interface DeviceLook {
  gpu: "real" | "emulated" | "none";
  threads: number;
  cores: number;
  /** Cross-origin isolation, without which there is one thread. */
  isolated: boolean;
  secure: boolean;
}

export function deviceFacts({ gpu, threads, cores, isolated, secure }: DeviceLook): [name: string, value: string][] {
  const graphics = gpu === "real" ? "there, through WebGPU" : gpu === "emulated" ? "only emulated on the processor, and slower than it" : "none that this browser offers to pages (WebGPU)";
  const why = isolated ? (threads < cores ? "; more did not make it quicker, or was not tried" : "") : "; more need an isolated page";
  const isolation = isolated ? "yes: several threads may share memory" : secure ? "no: the server does not send the headers that it takes" : "no: the address is not a secure one";
  return [["Graphics processor", graphics], ["Processor", `${plural(threads, "thread")} of ${cores}${why}`], ["Isolated page", isolation]];
}

const NAMES: Record<DeviceTest["kind"], string> = { wasm: "The processor", webgpu: "The graphics processor" };

export function testWords({ kind, result, emulated, threads, sumMs }: DeviceTest): string {
  const name = NAMES[kind];
  switch (result) {
    case "passed":
      return `${name}${kind === "wasm" ? `, with ${plural(threads, "thread")},` : emulated ? ", emulated," : ""} calculates correctly${sumMs === null ? "" : ` (${decimal(sumMs, sumMs < 10 ? 1 : 0)} ms for a short sum)`}.`;
    case "wrong":
      return `${name} gave wrong results, so nothing is trained on it.`;
    case "stuck":
      return `${name} could not run the test, so nothing is trained on it. It need not be at fault: close other tabs, reload, and try again.`;
    case "absent":
      return `There is no graphics processor that this browser offers to pages; the processor does the work.`;
    default:
      return result satisfies never;
  }
}

/** For a bug report. */
export function testDetails(tests: readonly DeviceTest[], browser: string): string {
  return [browser, ...tests.map(({ kind, result, emulated, threads, sumMs, details }) => `${kind}: ${result}${emulated ? ", emulated" : ""}, ${threads} threads${sumMs === null ? "" : `, ${sumMs.toFixed(2)} ms`}${details === "" ? "" : `\n  ${details.replaceAll("\n", "\n  ")}`}`)].join("\n");
}
