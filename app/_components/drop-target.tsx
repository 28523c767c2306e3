"use client";
/**
 * Makes the whole window a place to drop files and folders, and to paste files. Text goes to the
 * current hand (on the start page: to a new one); an adapter's file goes to Take
 * away; a model's folder goes to Models; what was saved of everything, to
 * Settings; a file of settings, on the train page, to the next run.
 */
import { usePathname, useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { DuctusError } from "../../lib/core/errors";
import { adapterIntake, isAdapterFile, takeAdapter } from "../_state/adapter-intake";
import { intake, takeFiles } from "../_state/intake";
import { isModel, models, offerModel } from "../_state/models";
import { workspace } from "../_state/workspace";
import { zipKind } from "../_state/zip-kind";
import { droppedFiles, MAX_DROPPED } from "./dropped";
import { count } from "./format";

export function DropTarget() {
  const [over, setOver] = useState(false);
  const path = usePathname();
  const router = useRouter();
  useEffect(() => {
    let depth = 0; // enter and leave fire for every element passed
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const onEnter = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      depth++;
      setOver(true);
    };
    const onLeave = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const onOver = (event: DragEvent): void => {
      if (holdsFiles(event)) event.preventDefault();
    };
    const go = (to: string): void => router.push(to);
    const onDrop = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      if (event.dataTransfer !== null) receive(event.dataTransfer, path, go).catch((error: unknown) => refuse(error, path, go));
    };
    const onPaste = (event: ClipboardEvent): void => {
      const { clipboardData } = event;
      // Text goes where the cursor is; files have no other place than this.
      if (clipboardData === null || clipboardData.files.length === 0 || clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      receive(clipboardData, path, go).catch((error: unknown) => refuse(error, path, go));
    };
    addEventListener("paste", onPaste);
    addEventListener("dragenter", onEnter);
    addEventListener("dragleave", onLeave);
    addEventListener("dragover", onOver);
    addEventListener("drop", onDrop);
    return () => {
      removeEventListener("paste", onPaste);
      removeEventListener("dragenter", onEnter);
      removeEventListener("dragleave", onLeave);
      removeEventListener("dragover", onOver);
      removeEventListener("drop", onDrop);
    };
  }, [path, router]);
  if (!over) return null;
  return <div className="drop-veil" aria-hidden="true"><p>Let go, and they are read here</p></div>;
}

/** A file that was moved, or a folder that may not be read: said where it would have gone. */
function refuse(cause: unknown, path: string, go: (to: string) => void): void {
  const error = new DuctusError("file/unreadable", "What was dropped could not be opened; it may have been moved, or this browser may not read it.", "Drop it once more, or choose it with the button.", { cause }).serialize();
  if (path === "/models") models.set((m) => ({ ...m, error }));
  else if (path === "/share") adapterIntake.set((a) => ({ ...a, error }));
  else {
    const { hand } = workspace.get();
    intake.set((i) => ({ ...i, handId: path === "/" ? null : (hand?.id ?? null), error })); // a reading that goes on is not touched
    if (path !== "/") go("/writing");
  }
}

async function receive(transfer: DataTransfer, path: string, go: (to: string) => void): Promise<void> {
  const { files: dropped, hasMore } = await droppedFiles(transfer);
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
