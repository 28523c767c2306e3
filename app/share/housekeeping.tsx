"use client";
/** What this browser holds for the site, and how to be rid of it. */
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { DuctusError } from "../../lib/core/errors";
import { deleteEverything } from "../../lib/store/hands";
import { storageEstimate } from "../../lib/store/room";
import type { Hand } from "../../lib/store/types";
import { Confirm } from "../_components/confirm";
import { DeleteHand } from "../_components/delete-hand";
import { bytes } from "../_components/format";
import { sweepModels } from "../_engine/models";
import { clearIntake } from "../_state/intake";
import { deleteAllModels } from "../_state/models";
import { clearRun, isActive, run } from "../_state/run";
import { useStore } from "../_state/use-store";
import { refresh, workspace } from "../_state/workspace";

export function Housekeeping({ hand }: { hand: Hand | null }) {
  const router = useRouter();
  const adapters = useStore(workspace, (w) => w.adapters);
  const [asking, setAsking] = useState<"hand" | "everything" | null>(null);
  const [storage, setStorage] = useState<{ usedBytes: number; quotaBytes: number } | null>(null);
  useEffect(() => {
    let gone = false;
    // A browser that does not say how much it holds has nothing to show here.
    void storageEstimate().then((estimate) => { if (!gone) setStorage(estimate); }, () => undefined);
    return () => { gone = true; };
  }, [adapters]);
  const forget = async (): Promise<void> => {
    if (isActive(run.get().live)) throw new DuctusError("app/busy", "A training run is going on.", "Stop it first.");
    await deleteAllModels();
    await deleteEverything();
    await sweepModels().catch(() => undefined); // of models whose records could not be read; swept at the next visit to them, too
    clearRun();
    clearIntake();
    await refresh();
    router.push("/");
  };
  return (
    <>
      {storage !== null && (
        <section className="margin-part">
          <h2>Kept in this browser</h2>
          <p data-testid="storage-used">{bytes(storage.usedBytes)}</p>
          <p className="small quiet">of {bytes(storage.quotaBytes)} that it allows this site: your writing, the runs and the adapters, and the models.</p>
        </section>
      )}
      <section className="margin-part">
        <h2>Delete</h2>
        <ul className="space-y-2">
          {hand !== null && <li><button type="button" className="link" data-testid="delete-hand" onClick={() => setAsking("hand")}>This hand and all that is under it</button></li>}
          <li><button type="button" className="link" data-testid="delete-everything" onClick={() => setAsking("everything")}>Everything, all hands</button></li>
        </ul>
      </section>
      {asking === "hand" && hand !== null && <DeleteHand hand={hand} onClose={() => setAsking(null)} />}
      {asking === "everything" && (
        <Confirm
          title="Delete everything?"
          body="Every hand with its writing, runs and adapters, and every model that you brought in, will be deleted from this browser. There is no other copy, except for what you have downloaded."
          action="Delete everything"
          onConfirm={forget}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  );
}
