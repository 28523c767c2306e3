"use client";
/** An adapter's file taken in again, or one that PEFT wrote. Dropping works on the whole window. */
import type { Hand } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { FilePicker } from "../_components/file-picker";
import { adapterIntake, takeAdapter } from "../_state/adapter-intake";
import { useStore } from "../_state/use-store";

export function BringIn({ hand }: { hand: Hand }) {
  const { reading, addedId, error } = useStore(adapterIntake, (a) => a);
  return (
    <section className="share-section" aria-labelledby="bring">
      <h2 id="bring" className="section-title">Bring one in</h2>
      <p className="mt-2 max-w-[38rem]">Drop an adapter’s file on this page, or choose it: the .safetensors file from here, or a .zip of a folder that PEFT has written for the same base model.</p>
      <div className="actions mt-4">
        <FilePicker className="button" testId="import-adapter" accept=".safetensors,.zip" disabled={reading !== null} onFiles={([file]) => { if (file !== undefined) void takeAdapter(hand.id, file); }}>
          {reading === null ? "Choose a file" : "Reading…"}
        </FilePicker>
        <p role="status" data-testid="import-status" className="quiet small">{reading !== null ? `Reading “${reading}”…` : addedId !== null ? "It fits the model, and is in the list." : ""}</p>
      </div>
      {error !== null && <div className="mt-4"><ErrorNote error={error} /></div>}
    </section>
  );
}
