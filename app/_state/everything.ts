/**
 * All that is the person's, saved as one file, opened from one, and deleted. What
 * goes on belongs to no screen: leaving the page does not stop it. The keeper
 * does the work; what it is doing, and how the last time ended, stands here.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { wipe } from "../../lib/store/wipe";
import type { Opened, StorageUsage } from "../../workers/keeper-protocol";
import { openEverything, saveEverything, stopKeeper } from "../_engine/keeper";
import { closeModels } from "../_engine/models";
import { ifNoRun } from "../_engine/run-lock";
import { closeTrainer } from "../_engine/trainer";
import { closeWriter } from "../_engine/writer";
import { clearIntake } from "./intake";
import { models } from "./models";
import { askToKeep } from "./persist";
import { clearRun, isActive, run } from "./run";
import { createStore } from "./store";
import { refresh } from "./workspace";

export type Going =
  /** `expected`: at most so many bytes; null where it was not counted. */
  | { what: "saving"; bytes: number; expected: number | null; stopping: boolean }
  | { what: "opening"; name: string; done: number; total: number; stopping: boolean };

export type Ended =
  | { what: "saved"; name: string; bytes: number; hands: number; leftOut: readonly SerializedError[] }
  | ({ what: "opened"; name: string } & Opened)
  | { what: "stopped"; of: Going["what"] };

export interface Everything {
  going: Going | null;
  /** How the last time ended. */
  ended: Ended | null;
  /** What went wrong, and in what. */
  fault: { of: Going["what"]; error: SerializedError } | null;
}

export const everything = createStore<Everything>({ going: null, ended: null, fault: null });

/** With the day in its name, so that several lie in order. */
export function savedName(at: Date): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  return `ductus-${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}.zip`;
}

/** What a saved file holds of what is stored: models can be had again. */
export const savedBytes = ({ writing, runs, adapters, checkpoints }: StorageUsage): number => writing + runs + adapters + checkpoints;

/** @param give hands the file over, as a download @param expected see {@link savedBytes} */
export async function saveAll(give: (file: Blob, name: string) => void, expected: number | null): Promise<void> {
  await attend({ what: "saving", bytes: 0, expected, stopping: false }, async () => {
    const saved = await saveEverything((bytes) => follow((going) => (going.what === "saving" ? { ...going, bytes } : going)));
    if (saved === null) return null;
    const name = savedName(new Date());
    give(saved.file, name);
    return { what: "saved", name, bytes: saved.file.size, hands: saved.hands, leftOut: saved.leftOut };
  });
}

export async function openAll(file: File): Promise<void> {
  await attend({ what: "opening", name: file.name, done: 0, total: 0, stopping: false }, async () => {
    const opened = await openEverything(file, (done, total) => follow((going) => (going.what === "opening" ? { ...going, done, total } : going)));
    if (opened !== null && opened.added.length > 0) void askToKeep();
    return opened === null ? null : { what: "opened", name: file.name, ...opened };
  });
  await refresh().catch(() => undefined); // what is wrong with the storage is said where it is read
}

/** Before what is going on could be told to stop, it has ended. */
export function stopAll(): void {
  follow((going) => ({ ...going, stopping: true }));
  stopKeeper().catch(() => undefined);
}

async function attend(going: Going, work: () => Promise<Ended | null>): Promise<void> {
  if (everything.get().going !== null) return;
  everything.set({ going, ended: null, fault: null });
  try {
    everything.set({ going: null, ended: (await work()) ?? { what: "stopped", of: going.what }, fault: null });
  } catch (error) {
    everything.set({ going: null, ended: null, fault: { of: going.what, error: serializeError(error) } });
  }
}

function follow(change: (going: Going) => Going): void {
  everything.set((e) => (e.going === null ? e : { ...e, going: change(e.going) }));
}

/** Deletes all that this site keeps in the browser but the choice of colours. @throws DuctusError `app/busy`, `store/…` */
export async function forgetEverything(): Promise<void> {
  if (isActive(run.get().live)) throw busy("A training run is going on.");
  if (models.get().incoming?.state === "adding") throw busy("A model is being brought in.");
  if (everything.get().going !== null) throw busy("Everything is being saved, or a file opened.");
  const done = await ifNoRun(async () => {
    // What they hold in memory is the person's, too.
    closeWriter();
    closeTrainer();
    closeModels();
    await wipe();
  });
  if (!done) throw busy("A training run is going on in another tab of this browser.");
  everything.set({ going: null, ended: null, fault: null });
  clearRun();
  clearIntake();
  await refresh();
}

const busy = (what: string): DuctusError => new DuctusError("app/busy", what, "Stop it first, or wait for it to end.");
