"use client";
/** Brings the parts of the models page together. */
import Link from "next/link";
import { useEffect } from "react";
import { Waiting } from "../_components/waiting";
import { lookAtModels, models, openModels } from "../_state/models";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { BringIn } from "./bring-in";
import { FromHub } from "./from-hub";
import { EmbeddedRow, StoredRow } from "./model-row";
import { Room } from "./room";

export function ModelsScreen() {
  const hand = useStore(workspace, (w) => w.hand);
  const phase = useStore(workspace, (w) => w.phase);
  const { stored, embedded } = useStore(models, (m) => m);
  useEffect(() => {
    void openModels();
    void lookAtModels();
  }, []);
  if (phase === "loading" || stored === null) return <Waiting title="Models" />;
  return (
    <div className="folio">
      <div className="min-w-0">
        <h1 className="title">Models</h1>
        <p className="lead">
          A hand is taught to a model. The one that comes with the site is small and quick to teach. A larger one knows more of the world and of the language;
          it takes longer, and more memory.
        </p>
        <ul className="list-rows mt-8" data-testid="models">
          <EmbeddedRow model={embedded} hand={hand} />
          {stored.map((model) => <StoredRow key={model.id} model={model} hand={hand} />)}
          {hand?.model !== undefined && !stored.some(({ id }) => id === hand.model?.id) && (
            <li className="model">
              <h2 className="model-name">{hand.model.name}</h2>
              <p className="model-mark" data-testid="model-gone">“{hand.name}” is taught to this one, and it is no longer here. Bring its folder in again, or choose another.</p>
            </li>
          )}
        </ul>
        <BringIn />
        <FromHub />
        {hand !== null && <p className="mt-10"><Link className="link" href="/train">Back to training</Link></p>}
      </div>
      <aside className="margin">
        <Room />
      </aside>
    </div>
  );
}
