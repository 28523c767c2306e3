"use client";
/** One model: what it is, whether the current hand is taught to it, and its deletion. */
import { useState, type ReactNode } from "react";
import { chooseModel } from "../../lib/store/hands";
import type { Hand, ModelRef, StoredModel } from "../../lib/store/types";
import type { EmbeddedModel } from "../../workers/protocol";
import { Confirm } from "../_components/confirm";
import { ErrorNote } from "../_components/error-note";
import { bytes } from "../_components/format";
import { bitsWords, EMBEDDED_NAME, parametersWords } from "../_components/model-words";
import { deleteModel } from "../_state/models";
import { isActive, run } from "../_state/run";
import { useStore } from "../_state/use-store";
import { refresh } from "../_state/workspace";

export function EmbeddedRow({ model, hand }: { model: EmbeddedModel | null; hand: Hand | null }) {
  return (
    <li className="model" data-testid="model-embedded">
      <h2 className="model-name">{model?.name ?? EMBEDDED_NAME}</h2>
      <p className="quiet small">{["Comes with the site", ...(model === null ? [] : [parametersWords(model.parameters), bytes(model.fileBytes), model.licence])].join(" · ")}</p>
      <Choice hand={hand} chosen={hand?.model === undefined} model={null} />
    </li>
  );
}

export function StoredRow({ model, hand }: { model: StoredModel; hand: Hand | null }) {
  const [asking, setAsking] = useState(false);
  const facts = [parametersWords(model.parameters), bitsWords(model.storage), `${bytes(model.fileBytes)} in this browser`, `${bytes(model.weightBytes)} in memory`, model.licence ?? "its folder names no licence"];
  return (
    <li className="model" data-testid="model" data-model={model.id}>
      <h2 className="model-name">{model.name}</h2>
      <p className="quiet small">{facts.join(" · ")}</p>
      <Choice hand={hand} chosen={hand?.model?.id === model.id} model={{ id: model.id, name: model.name }}>
        <button type="button" className="link" data-testid="delete-model" onClick={() => setAsking(true)}>Delete</button>
      </Choice>
      {asking && (
        <Confirm
          title={`Delete “${model.name}”?`}
          body="Its files in this browser will be deleted. Hands, runs and adapters stay; what was learned with it can be used again once the same folder is brought in anew."
          action="Delete this model"
          onConfirm={() => deleteModel(model)}
          onClose={() => setAsking(false)}
        />
      )}
    </li>
  );
}

interface ChoiceProps {
  hand: Hand | null;
  chosen: boolean;
  /** Null for the one that comes with the site. */
  model: ModelRef | null;
  children?: ReactNode;
}

function Choice({ hand, chosen, model, children }: ChoiceProps) {
  const live = useStore(run, (r) => r.live);
  const [error, setError] = useState<unknown>(null);
  const choose = async (handId: string): Promise<void> => {
    setError(null);
    try {
      await chooseModel(handId, model);
      await refresh();
    } catch (fault) {
      setError(fault);
    }
  };
  const busy = isActive(live) && live.handId === hand?.id;
  return (
    <>
      <div className="actions mt-2">
        {hand !== null && (chosen
          ? <p className="model-mark" data-testid="chosen-model">“{hand.name}” is taught to this one</p>
          : <button type="button" className="button" data-testid="choose-model" disabled={busy} onClick={() => void choose(hand.id)}>Teach this one</button>)}
        {children}
      </div>
      {error !== null && <div className="mt-3"><ErrorNote error={error} /></div>}
    </>
  );
}
