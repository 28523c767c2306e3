/** What a person does with runs that are over: keep another of their states, rename, delete, save as data. React-free; a run that goes on is run.ts's. */
import { DuctusError } from "../../lib/core/errors";
import { saveAdapter, type AdapterInfo } from "../../lib/store/adapters";
import { MAX_NAME_LENGTH } from "../../lib/store/hands";
import { keptFile } from "../../lib/store/kept";
import { deleteRun, getRun, listMetrics, listSamples, renameRun } from "../../lib/store/runs";
import type { Hand, Run } from "../../lib/store/types";
import { distinctNames } from "../../lib/train/sft/run-name";
import { clearRun, run as liveRun } from "./run";
import { parametersOf } from "./situation";
import { refresh, workspace } from "./workspace";

/** By which an adapter that was made of another state is known. */
const endingOf = (step: number): string => `, step ${step}`;

/** What another state of a run is called as an adapter. */
function stateName(hand: Hand, run: Run, step: number): string {
  const ending = endingOf(step);
  return `${(run.name ?? hand.name).slice(0, MAX_NAME_LENGTH - ending.length)}${ending}`;
}

/** The adapter that was made of a state before, if it is still here. */
export function adapterOfState(run: Run, step: number, adapters: readonly AdapterInfo[]): AdapterInfo | undefined {
  return adapters.find((adapter) => adapter.runId === run.id && adapter.id !== run.adapterId && adapter.name.endsWith(endingOf(step)));
}

/** Makes an adapter of its own of a state that was kept. @throws DuctusError `store/…` */
export async function keepAsAdapter(hand: Hand, run: Run, step: number): Promise<void> {
  const file = await keptFile(run.id, step);
  if (file === null) throw new DuctusError("store/missing", "This state is no longer here: it was deleted, perhaps in another tab.", "Choose another one.");
  await saveAdapter({ handId: hand.id, runId: run.id, name: stateName(hand, run, step), modelId: run.modelId, modelSha256: run.modelSha256, file }, false);
  await refresh();
}

/** The names of a hand's runs, in their order. */
export function namesOf(runs: readonly Run[], now: number): string[] {
  return distinctNames(runs.map((run) => {
    const parameters = parametersOf(run);
    return { ...run, ...(parameters === undefined ? {} : { parameters }) };
  }), { now });
}

export async function rename(run: Run, name: string): Promise<void> {
  await renameRun(run.id, name.trim() === "" ? null : name);
  await refresh();
}

/** @throws DuctusError `app/busy` while it goes on */
export async function remove(run: Run): Promise<void> {
  if ((await getRun(run.id))?.status === "running") throw new DuctusError("app/busy", "This run is going on.", "Stop it first.");
  if (liveRun.get().live?.runId === run.id) clearRun();
  await deleteRun(run.id);
  await refresh();
}

/** A run as a file. Its writing is what was asked of it, which shows passages, and names that the person gave. */
export async function runFile(run: Run, name: string, form: "json" | "csv", withWriting: boolean): Promise<Uint8Array> {
  const { runJson, metricsCsv } = await import("../../lib/train/sft/run-data");
  const metrics = await listMetrics(run.id, passOver);
  const encoder = new TextEncoder();
  if (form === "csv") return encoder.encode(metricsCsv(metrics));
  const [samples, { default: app }] = await Promise.all([listSamples(run.id, passOver), import("../../package.json")]);
  const versions = { ductus: app.version, "onnxruntime-web": app.dependencies["onnxruntime-web"] };
  const report = workspace.get().adapters.find(({ id }) => id === run.adapterId)?.report;
  return encoder.encode(runJson({ run, name, metrics, samples, versions, ...(report === undefined ? {} : { report }) }, { withWriting, now: Date.now() }));
}

/** What is damaged was told of when the hand was opened. */
const passOver = (): void => undefined;
