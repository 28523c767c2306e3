"use client";
/** The room that this browser gives the site, and whether it promises to keep what lies there. */
import { useEffect, useState } from "react";
import { askToPersist, isPersistent, storageEstimate, type StorageEstimate } from "../../lib/store/room";
import { bytes } from "../_components/format";
import { models } from "../_state/models";
import { useStore } from "../_state/use-store";

export function Room() {
  const stored = useStore(models, (m) => m.stored);
  const [estimate, setEstimate] = useState<StorageEstimate | null>(null);
  const [kept, setKept] = useState<boolean | null>(null);
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    let gone = false;
    // A browser that does not say how much it holds has nothing to show here.
    void Promise.all([storageEstimate().catch(() => null), isPersistent()]).then(([room, persistent]) => {
      if (gone) return;
      setEstimate(room);
      setKept(persistent);
    });
    return () => { gone = true; };
  }, [stored]);
  const ask = async (): Promise<void> => {
    setKept(await askToPersist());
    setAsked(true);
  };
  return (
    <>
      {estimate !== null && (
        <section className="margin-part">
          <h2>Room in this browser</h2>
          <p>{bytes(Math.max(0, estimate.quotaBytes - estimate.usedBytes))} free</p>
          <p className="small quiet">This site uses {bytes(estimate.usedBytes)} of {bytes(estimate.quotaBytes)} that the browser allows it.</p>
        </section>
      )}
      {kept !== null && (
        <section className="margin-part">
          <h2>Kept for good?</h2>
          {kept ? <p className="small quiet">This browser has promised to clear nothing of this site by itself.</p> : (
            <>
              <p className="small quiet">When the disk fills up, this browser may clear what lies here, writing included.{asked && " It was asked not to, and did not promise; some browsers do once a site is visited often or bookmarked."}</p>
              {!asked && <button type="button" className="link mt-1" onClick={() => void ask()}>Ask it to keep everything</button>}
            </>
          )}
        </section>
      )}
    </>
  );
}
