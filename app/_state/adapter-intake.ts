/**
 * Takes in an adapter's file: which files are meant for it, and how the last one
 * fared. The writer worker reads and checks it. Where there is no hand yet, as
 * when a friend has sent the file, one is made for it.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { createHand, deleteHand } from "../../lib/store/hands";
import type { ImportedAdapter } from "../../workers/protocol";
import { importAdapter } from "../_engine/writer";
import { askToKeep } from "./persist";
import { createStore } from "./store";
import { chooseHand, refresh } from "./workspace";
import { zipKind } from "./zip-kind";

/** An adapter of the largest model the page can hold is far below this. */
const MAX_BYTES = 512 * 1024 * 1024;

export interface AdapterIntake {
  /** The file being read. */
  reading: string | null;
  /** Taken in last. */
  added: ImportedAdapter | null;
  error: SerializedError | null;
}

export const adapterIntake = createStore<AdapterIntake>({ reading: null, added: null, error: null });

/** A zip may hold anything: where adapters are taken in, it is taken for one. */
export async function isAdapterFile(file: File, path: string): Promise<boolean> {
  if (/\.safetensors$/i.test(file.name)) return true;
  if (!/\.zip$/i.test(file.name)) return false;
  // One that cannot be opened is told of by whoever takes it.
  const kind = await zipKind(file).catch(() => "other" as const);
  return kind === "adapter" || (kind === "other" && path === "/share");
}

/** @param handId whose it becomes; null starts a new hand for it */
export async function takeAdapter(handId: string | null, file: File): Promise<void> {
  if (adapterIntake.get().reading !== null) return;
  adapterIntake.set({ reading: file.name, added: null, error: null });
  try {
    const added = await takeIn(handId, file);
    void askToKeep();
    await refresh();
    adapterIntake.set(({ error }) => ({ reading: null, added, error })); // a fault of something that was dropped meanwhile stays
  } catch (error) {
    adapterIntake.set({ reading: null, added: null, error: serializeError(error) });
  }
}

async function takeIn(handId: string | null, file: File): Promise<ImportedAdapter> {
  if (file.size > MAX_BYTES) throw new DuctusError("adapter/too-large", `“${file.name}” is too large for an adapter of this model.`, "Choose the file that was taken away here, or one that PEFT has written.");
  const bytes = new Uint8Array(await file.arrayBuffer());
  const name = file.name.replace(/\.(safetensors|zip)$/i, "").trim() || "Adapter";
  if (handId !== null) return importAdapter(handId, name, bytes);
  const hand = await createHand({ name, source: "own" });
  try {
    const added = await importAdapter(hand.id, name, bytes);
    await chooseHand(hand.id);
    return added;
  } catch (error) {
    await deleteHand(hand.id);
    throw error;
  }
}
