/** Takes in an adapter's file: which files are meant for it, and how the last one fared. The writer worker reads and checks it. */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { importAdapter } from "../_engine/writer";
import { askToKeep } from "./persist";
import { createStore } from "./store";
import { refresh } from "./workspace";

/** An adapter of the largest model the page can hold is far below this. */
const MAX_BYTES = 512 * 1024 * 1024;

export interface AdapterIntake {
  /** The file being read. */
  reading: string | null;
  /** The adapter taken in last. */
  addedId: string | null;
  error: SerializedError | null;
}

export const adapterIntake = createStore<AdapterIntake>({ reading: null, addedId: null, error: null });

/** A zip may hold anything; it is taken for an adapter only where adapters are taken in. */
export function isAdapterFile(file: File, path: string): boolean {
  return /\.safetensors$/i.test(file.name) || (path === "/share" && /\.zip$/i.test(file.name));
}

export async function takeAdapter(handId: string, file: File): Promise<void> {
  if (adapterIntake.get().reading !== null) return;
  adapterIntake.set({ reading: file.name, addedId: null, error: null });
  try {
    if (file.size > MAX_BYTES) throw new DuctusError("adapter/too-large", `“${file.name}” is too large for an adapter of this model.`, "Choose the file that was taken away here, or one that PEFT has written.");
    const bytes = new Uint8Array(await file.arrayBuffer());
    const addedId = await importAdapter(handId, file.name.replace(/\.(safetensors|zip)$/i, ""), bytes);
    void askToKeep();
    await refresh();
    adapterIntake.set(({ error }) => ({ reading: null, addedId, error })); // a fault of something that was dropped meanwhile stays
  } catch (error) {
    adapterIntake.set({ reading: null, addedId: null, error: serializeError(error) });
  }
}
