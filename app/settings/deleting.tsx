"use client";
/** A model, a hand, or everything: each asked once more before it is gone. */
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { Hand, StoredModel } from "../../lib/store/types";
import { Confirm } from "../_components/confirm";
import { DeleteHand } from "../_components/delete-hand";
import { bytes } from "../_components/format";
import { forgetEverything } from "../_state/everything";
import { deleteAllModels, deleteModel, models } from "../_state/models";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";

type Asking = { what: "models" } | { what: "model"; model: StoredModel } | { what: "hand"; hand: Hand } | { what: "everything" };

export function Deleting() {
  const router = useRouter();
  const hands = useStore(workspace, (w) => w.hands);
  const current = useStore(workspace, (w) => w.hand);
  const stored = useStore(models, (m) => m.stored) ?? [];
  const downloads = useStore(models, (m) => m.downloads);
  const modelBytes = [...stored.map(({ fileBytes }) => fileBytes), ...downloads.map(({ doneBytes }) => doneBytes)].reduce((a, b) => a + b, 0);
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = (): void => setAsking(null);
  return (
    <>
      <ul className="list-rows deletable mt-4">
        {hands.map((hand) => (
          <li key={hand.id}>
            <span className="deletable-name">{hand.name} <span className="small quiet">hand, with all that is under it</span></span>
            <button type="button" className="link" data-testid={hand.id === current?.id ? "delete-hand" : "delete-other-hand"} aria-label={`Delete the hand ${hand.name}`} onClick={() => setAsking({ what: "hand", hand })}>Delete</button>
          </li>
        ))}
        {stored.map((model) => (
          <li key={model.id}>
            <span className="deletable-name">{model.name} <span className="small quiet">model, {bytes(model.fileBytes)}</span></span>
            <button type="button" className="link" data-testid="delete-model" aria-label={`Delete the model ${model.name}`} onClick={() => setAsking({ what: "model", model })}>Delete</button>
          </li>
        ))}
        {stored.length + downloads.length > 1 && (
          <li>
            <span className="deletable-name">All models <span className="small quiet">those brought in, and what was downloaded, {bytes(modelBytes)}</span></span>
            <button type="button" className="link" data-testid="delete-all-models" aria-label="Delete all models" onClick={() => setAsking({ what: "models" })}>Delete</button>
          </li>
        )}
        <li>
          <span className="deletable-name">Everything <span className="small quiet">all hands, models, settings, and the copies for use without a network</span></span>
          <button type="button" className="link" data-testid="delete-everything" aria-label="Delete everything" onClick={() => setAsking({ what: "everything" })}>Delete</button>
        </li>
      </ul>
      {asking?.what === "hand" && <DeleteHand hand={asking.hand} onClose={close} />}
      {asking?.what === "model" && (
        <Confirm
          title={`Delete “${asking.model.name}”?`}
          body="Its files in this browser will be deleted. Hands, runs and adapters stay; what was learned with it can be used again once the same folder is brought in anew."
          action="Delete this model"
          onConfirm={() => deleteModel(asking.model)}
          onClose={close}
        />
      )}
      {asking?.what === "models" && (
        <Confirm
          title="Delete all models?"
          body="The files of every model that you brought in, and whatever was downloaded from the hub, will be deleted from this browser. The model that comes with the site stays, and so do hands, runs and adapters; what was learned with a model can be used again once the same one is brought in anew."
          action="Delete all models"
          onConfirm={deleteAllModels}
          onClose={close}
        />
      )}
      {asking?.what === "everything" && (
        <Confirm
          title="Delete everything?"
          body="Every hand with its writing, runs and adapters, every model that you brought in, the settings, and the copies that let the site work without a network will be deleted from this browser. Only the choice of colours stays. There is no other copy, except for what you have downloaded."
          action="Delete everything"
          onConfirm={async () => {
            await forgetEverything();
            router.push("/");
          }}
          onClose={close}
        />
      )}
    </>
  );
}
