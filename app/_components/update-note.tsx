"use client";
/** Offers a newer build of the site, when nothing goes on that loading it would end. */
import { useEffect } from "react";
import { intake } from "../_state/intake";
import { models } from "../_state/models";
import { isBusy, run } from "../_state/run";
import { putOffUpdate, update, watchForUpdate } from "../_state/update";
import { useStore } from "../_state/use-store";

export function UpdateNote() {
  const { ready, putOff } = useStore(update, (u) => u);
  const training = useStore(run, (r) => isBusy(r.live));
  const reading = useStore(intake, (i) => i.busy);
  const bringing = useStore(models, (m) => m.incoming?.state === "adding");
  useEffect(watchForUpdate, []);
  const offered = ready && !putOff && !training && !reading && !bringing;
  return (
    <div role="status">
      {offered && (
        <div className="update" data-testid="update">
          <p>A newer version of Ductus is there. What you have made here stays as it is.</p>
          <div className="actions">
            <button type="button" className="button" onClick={() => location.reload()}>Use it now</button>
            <button type="button" className="link" onClick={putOffUpdate}>Later</button>
          </div>
        </div>
      )}
    </div>
  );
}
