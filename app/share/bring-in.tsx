"use client";
/** An adapter's file taken in again, or one that PEFT wrote. Dropping works on the whole window. */
import type { Hand } from "../../lib/store/types";
import type { ImportedAdapter } from "../../workers/protocol";
import { ErrorNote } from "../_components/error-note";
import { FilePicker } from "../_components/file-picker";
import { adapterIntake, takeAdapter } from "../_state/adapter-intake";
import { useStore } from "../_state/use-store";

/** @param hand whose it becomes; null: one is made for it */
export function BringIn({ hand }: { hand: Hand | null }) {
  const { reading, added, error } = useStore(adapterIntake, (a) => a);
  return (
    <section className="share-section" aria-labelledby="bring">
      <h2 id="bring" className="section-title">Bring one in</h2>
      <p className="mt-2 max-w-[38rem]">
        Drop an adapter’s file anywhere on these pages, or choose it: the .safetensors file from here, or a .zip of a folder that PEFT has written for a model that is here.
        {hand === null && " It gets a hand of its own, without writing."}
      </p>
      <div className="actions mt-4">
        <FilePicker className="button" testId="import-adapter" accept=".safetensors,.zip" disabled={reading !== null} onFiles={([file]) => { if (file !== undefined) void takeAdapter(hand?.id ?? null, file); }}>
          {reading === null ? "Choose a file" : "Reading…"}
        </FilePicker>
        <p role="status" data-testid="import-status" className="quiet small [overflow-wrap:anywhere]">{reading !== null ? `Reading “${reading}”…` : added !== null ? addedWords(added) : ""}</p>
      </div>
      {error !== null && <div className="mt-4"><ErrorNote error={error} /></div>}
    </section>
  );
}

function addedWords({ model, otherBase }: ImportedAdapter): string {
  if (otherBase === undefined) return "It fits the model, and is in the list.";
  return `It fits the shape of ${model}, and is in the list. Its settings name “${otherBase}” as its model, though; if it was made for another one than ${model}, what it writes here makes no sense.`;
}
