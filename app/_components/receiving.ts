/**
 * Where files go that are dropped, pasted or chosen. Text goes to the current
 * hand (on the start page: to a new one); an adapter's file goes to Take away; a
 * model's folder goes to Models; what was saved of everything, to Settings; a
 * file of settings, on the train page, to the next run.
 */
import { DuctusError } from "../../lib/core/errors";
import type { SourceFile } from "../../workers/importer-protocol";
import { adapterIntake, isAdapterFile, takeAdapter } from "../_state/adapter-intake";
import { intake, takeFiles } from "../_state/intake";
import { isModel, models, offerModel } from "../_state/models";
import { workspace } from "../_state/workspace";
import { zipKind } from "../_state/zip-kind";
import { MAX_DROPPED } from "./dropped";
import { count } from "./format";

export type Go = (to: string) => void;

/** Files of a picker, which knows their paths where a folder was chosen. */
export function receiveChosen(files: readonly File[], path: string, go: Go): void {
  receive(files.map((file) => ({ path: file.webkitRelativePath || file.name, file })), false, path, go).catch((error: unknown) => refuse(error, path, go));
}

/** A file that was moved, or a folder that may not be read: said where it would have gone. */
export function refuse(cause: unknown, path: string, go: Go): void {
  const error = new DuctusError("file/unreadable", "What was dropped could not be opened; it may have been moved, or this browser may not read it.", "Drop it once more, or choose it with the button.", { cause }).serialize();
  if (path === "/models") models.set((m) => ({ ...m, error }));
  else if (path === "/share") adapterIntake.set((a) => ({ ...a, error }));
  else {
    const { hand } = workspace.get();
    intake.set((i) => ({ ...i, handId: path === "/" ? null : (hand?.id ?? null), error })); // a reading that goes on is not touched
    if (path !== "/") go("/writing");
  }
}

/** @param hasMore a folder had more files than are looked at */
export async function receive(dropped: readonly SourceFile[], hasMore: boolean, path: string, go: Go): Promise<void> {
  if (isModel(dropped, path)) {
    go("/models");
    return offerModel(dropped);
  }
  const files = dropped.map(({ file }) => file);
  const { hand } = workspace.get();
  const [only] = files;
  if (hand !== null && only !== undefined && files.length === 1 && path === "/train" && /\.json$/i.test(only.name)) {
    const [{ takeConfigFile }, { situationOf }] = await Promise.all([import("../_state/recipe-file"), import("../_state/situation")]);
    return takeConfigFile(only, situationOf(hand));
  }
  const [saved] = await filesOf(files, async (file) => /\.zip$/i.test(file.name) && (await zipKind(file).catch(() => "other")) === "everything");
  const adapters = await filesOf(files, (file) => isAdapterFile(file, path));
  const texts = dropped.filter(({ file }) => file !== saved && !adapters.includes(file));
  // What could not be read is said there, too, and on the start page.
  if (texts.length > 0 && ((await takeFiles(texts, path === "/" ? null : hand)) || path !== "/")) go("/writing");
  if (hasMore) intake.set((i) => ({ ...i, leftOut: [...i.leftOut, { name: "The rest of what was dropped", reason: `Only the first ${count(MAX_DROPPED)} files of a folder are looked at.` }] }));
  const [first] = adapters;
  if (first !== undefined) {
    go("/share");
    await takeAdapter(hand?.id ?? null, first);
  }
  if (saved !== undefined) {
    go("/settings");
    await (await import("../_state/everything")).openAll(saved);
  }
}

async function filesOf(files: readonly File[], is: (file: File) => Promise<boolean>): Promise<File[]> {
  const found = await Promise.all(files.map(is));
  return files.filter((_, i) => found[i]);
}
