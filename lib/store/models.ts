/**
 * What is known of the models that the person has brought in. Their weights lie
 * in the origin private file system (model-files.ts): they can be had again, so
 * a record whose files the browser has cleared is no loss of anything of the
 * person's. A model is known by the hash of the weights it came with, so that
 * the same one, brought in anew in another storage form, takes the place of the
 * old one, and adapters find it again.
 */
import { DuctusError } from "../core/errors";
import { announce } from "./changes";
import { transact } from "./db";
import { modelSchema, type OnDamaged, readRecord, readRecords } from "./schema";
import type { StoredModel } from "./types";

/** Oldest first. */
export async function listModels(onDamaged?: OnDamaged): Promise<StoredModel[]> {
  const values = await transact(["models"], "readonly", (tx) => tx.objectStore("models").getAll());
  return readRecords(modelSchema, values, "A model", onDamaged).sort((a, b) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1));
}

/** Null when it is not there (any more). @param id sha256 of its weights */
export async function getModel(id: string): Promise<StoredModel | null> {
  const value = await transact(["models"], "readonly", (tx) => tx.objectStore("models").get(id));
  return value === undefined ? null : readRecord(modelSchema, value, "A model");
}

/** Stores it in the place of one with the same weights. @returns the folder of that one, whose files nobody needs any more */
export async function saveModel(model: StoredModel): Promise<string | null> {
  const before = await transact(["models"], "readwrite", async (tx) => {
    const found = modelSchema.safeParse(await tx.objectStore("models").get(model.id));
    await tx.objectStore("models").put(model);
    return found.data?.folder ?? null;
  }, "strict");
  announce({ kind: "models" });
  return before === model.folder ? null : before;
}

/** Forgets a model; its files are for the caller to delete. @returns its folder, null where it was not there */
export async function forgetModel(id: string): Promise<string | null> {
  const folder = await transact(["models"], "readwrite", async (tx) => {
    const found = modelSchema.safeParse(await tx.objectStore("models").get(id));
    await tx.objectStore("models").delete(id);
    return found.data?.folder ?? null;
  }, "strict");
  announce({ kind: "models" });
  return folder;
}

/** The fault of a run or an adapter whose model is gone. @param name as it was called here */
export function modelGone(name: string): DuctusError {
  return new DuctusError("model/gone", `The model “${name}” is no longer in this browser: it was deleted, or the browser has cleared it.`, "Bring its folder in again on the Models page; whatever was learned with it works again then.");
}
