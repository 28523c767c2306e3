/** `npm run bench -- engine --profile SIZE [--in tab|node] [--storage f32|f16|q8|q4] [--plan PLAN]`: the tables of trace.ts from Chromium's wasm or from Node. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionPlan } from "../../../lib/train/execution/types";
import type { Storage } from "../../../lib/train/model/held";
import { openNode } from "../../../lib/train/runtime/node";
import { SIZES, type SizeName } from "./sizes";
import { openTab } from "./tab";
import { profiledSteps, profiling, report, type TraceEvent } from "./trace";

/** The build for browsers writes its profiles to the console; the worker collects them. */
export async function profileInTab(size: SizeName, storage: Storage, plan?: ExecutionPlan): Promise<string> {
  const tab = await openTab();
  try {
    const { traces, times } = await tab.call("profile", size, storage, plan ?? null);
    return report(traces.map((trace) => JSON.parse(trace) as TraceEvent[]), times);
  } finally {
    await tab.close();
  }
}

/** Node writes them to files. */
export async function profileInNode(size: SizeName, storage: Storage, plan?: ExecutionPlan): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "ductus-profile-"));
  try {
    const profiled = profiling(openNode(availableParallelism()), join(folder, "session"));
    const times = await profiledSteps(profiled.backend, SIZES[size], storage, plan);
    profiled.end();
    return report(readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as TraceEvent[]), times);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
