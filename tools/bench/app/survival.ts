/** What counts as survived, by what IndexedDB held before and holds after: each answers with what is wrong, in words; an empty list is well. */
import { isDeepStrictEqual } from "node:util";
import type { Bytes, Contents, Entry, StoredRecord } from "./contents";

/** Of each kind of record, what must stay as it is. Fields that live (a run's state, when it was last heard of) are not among them. */
const ESSENCE: Readonly<Record<string, (value: StoredRecord) => unknown>> = {
  hands: ({ id, name, source, seed }) => [id, name, source, seed],
  // What a look over the writing takes off is kept beside.
  documents: ({ id, handId, name, text, original }) => [id, handId, name, original ?? text],
  runs: ({ id, handId, config, modelSha256 }) => [id, handId, config, modelSha256],
  metrics: ({ runId, kind, step, loss, tokens }) => [runId, kind, step, loss, tokens],
  samples: ({ runId, step, prompt, text }) => [runId, step, prompt, text],
  adapters: ({ id, handId, name }) => [id, handId, name],
  keptStates: ({ runId, step, loss }) => [runId, step, loss],
};

const recordsOf = (contents: Contents, store: string): readonly Entry[] => contents[store] ?? [];
/** A record that is read and written again may have its fields in another order. */
const same = isDeepStrictEqual;
/** Of a record's fields, one that is an identifier; "" where it has none. */
const field = ({ value }: Entry, name: string): string => (typeof value[name] === "string" ? value[name] : "");
const bytesOf = ({ value }: Entry): Bytes => value["file"] as Bytes;

/** What was there before, and is not any more, or no longer the same. */
export function losses(before: Contents, after: Contents): string[] {
  const found: string[] = [];
  for (const [store, essence] of Object.entries(ESSENCE)) {
    const now = new Map(recordsOf(after, store).map(({ key, value }) => [key, value]));
    for (const { key, value } of recordsOf(before, store)) {
      const kept = now.get(key);
      if (kept === undefined) found.push(`${store} ${key} is gone`);
      else if (!same(essence(value), essence(kept))) found.push(`${store} ${key} has changed: ${JSON.stringify(essence(value)).slice(0, 200)} is ${JSON.stringify(essence(kept)).slice(0, 200)}`);
    }
  }
  // Turns are only ever added.
  const talks = new Map(recordsOf(after, "conversations").map(({ key, value }) => [key, value["turns"] as unknown[]]));
  for (const { key, value } of recordsOf(before, "conversations")) {
    const turns = value["turns"] as unknown[];
    if (!same(turns, talks.get(key)?.slice(0, turns.length))) found.push(`conversation ${key} has lost turns`);
  }
  return found;
}

/** Files of adapters and checkpoints that are there before and after, and are not the same bytes. A run that goes on changes its own. */
export function changedFiles(before: Contents, after: Contents): string[] {
  const now = new Map(recordsOf(after, "adapterFiles").map((entry) => [entry.key, bytesOf(entry).sha256]));
  return recordsOf(before, "adapterFiles").filter((entry) => now.get(entry.key) !== bytesOf(entry).sha256).map(({ key }) => `the file of adapter ${key} has changed`);
}

/** What is half there: a record whose owner is not, a file that is not whole, a note of something that is not. */
export function halves(contents: Contents): string[] {
  const found: string[] = [];
  const ids = (store: string): Set<string> => new Set(recordsOf(contents, store).map((entry) => field(entry, "id")));
  const owned = (store: string, by: "handId" | "runId" | "adapterId", owners: ReadonlySet<string>): void => {
    for (const entry of recordsOf(contents, store)) if (!owners.has(field(entry, by))) found.push(`${store} ${entry.key} belongs to nothing`);
  };
  const hands = ids("hands"), runs = ids("runs"), adapters = ids("adapters");
  for (const store of ["documents", "runs", "adapters", "conversations", "judgings"]) owned(store, "handId", hands);
  for (const store of ["metrics", "samples", "checkpoints", "keptStates", "keptFiles"]) owned(store, "runId", runs);
  owned("adapterFiles", "adapterId", adapters);
  const whole = (infos: string, files: string, key: (entry: Entry) => string): void => {
    const sizes = new Map(recordsOf(contents, files).map((entry) => [entry.key, bytesOf(entry).bytes]));
    for (const entry of recordsOf(contents, infos)) if (sizes.get(key(entry)) !== entry.value["fileBytes"]) found.push(`${infos} ${entry.key} has not its whole file`);
  };
  whole("adapters", "adapterFiles", ({ value }) => JSON.stringify(value["id"]));
  whole("keptStates", "keptFiles", ({ key }) => key);
  for (const entry of recordsOf(contents, "checkpoints")) if (!(bytesOf(entry).bytes > 0)) found.push(`checkpoint ${entry.key} is empty`);
  for (const run of recordsOf(contents, "runs")) {
    if (run.value["adapterId"] !== undefined && !adapters.has(field(run, "adapterId"))) found.push(`run ${run.key} names an adapter that is not there`);
    const { checkpointStep: step } = run.value, last = lastCheckpoint(contents, field(run, "id"));
    if (step !== undefined && last !== step) found.push(`run ${run.key} names the checkpoint of step ${JSON.stringify(step)}, and the last is of ${last ?? "none"}`);
  }
  return found;
}

/** Step of the last checkpoint of a run; null where there is none. */
export function lastCheckpoint(contents: Contents, runId: string): number | null {
  const steps = recordsOf(contents, "checkpoints").filter(({ value }) => value["runId"] === runId).map(({ value }) => Number(value["step"]));
  return steps.length === 0 ? null : Math.max(...steps);
}

/** Losses and gradient norms of a run, by kind and step, and the hash of what was learned. */
export function curveOf(contents: Contents, runId: string): Record<string, unknown> {
  const points = recordsOf(contents, "metrics").filter(({ value }) => value["runId"] === runId).map(({ value }) => [`${String(value["kind"])} ${String(value["step"]).padStart(6, "0")}`, [value["loss"], value["gradNorm"] ?? null]] as const);
  const run = recordsOf(contents, "runs").find(({ value }) => value["id"] === runId);
  const file = recordsOf(contents, "adapterFiles").find(({ value }) => value["adapterId"] === run?.value["adapterId"]);
  return { ...Object.fromEntries(points.sort(([a], [b]) => (a < b ? -1 : 1))), adapter: file === undefined ? null : (bytesOf(file).payload ?? null) };
}

/** Where the curve of a run that was cut is not, to the last bit, that of one that was not. */
export function differences(reference: Record<string, unknown>, found: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(reference), ...Object.keys(found)])]
    .filter((name) => !same(reference[name], found[name]))
    .map((name) => `${name}: ${JSON.stringify(reference[name] ?? null)} without a cut, ${JSON.stringify(found[name] ?? null)} after one`);
}

/** Keys of all records of a hand, by store, with what its runs and adapters have. */
export function under(contents: Contents, handId: string): string[] {
  const idsOf = (store: string): Set<unknown> => new Set(recordsOf(contents, store).filter(({ value }) => value["handId"] === handId).map(({ value }) => value["id"]));
  const runs = idsOf("runs"), adapters = idsOf("adapters");
  return Object.entries(contents).flatMap(([store, entries]) => entries
    .filter(({ value }) => (store === "hands" ? value["id"] === handId : value["handId"] === handId || runs.has(value["runId"]) || adapters.has(value["adapterId"])))
    .map(({ key }) => `${store} ${key}`)).sort();
}

/** Whether what was being deleted is all there, or all gone; else what is left and what is not. */
export function wholeOrGone(before: readonly string[], after: readonly string[]): { state: "whole" | "gone" | "half"; wrong: string[] } {
  if (after.length === 0) return { state: "gone", wrong: [] };
  if (same(before, after)) return { state: "whole", wrong: [] };
  const left = new Set(after);
  const gone = before.filter((key) => !left.has(key));
  return { state: "half", wrong: [`${gone.length} of ${before.length} records are gone, the first ${gone[0] ?? "none"}; ${after.length} are left`] };
}

/** The texts of all pieces as they were read, sorted. */
export const textsOf = (contents: Contents): string[] => recordsOf(contents, "documents").map(({ value }) => String(value["original"] ?? value["text"])).sort();
