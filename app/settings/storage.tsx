"use client";
/** What this browser keeps for the site, by kind, how much it allows, and whether it promises to keep it. */
import { useEffect, useState } from "react";
import { askToPersist, isPersistent, storageEstimate, type StorageEstimate } from "../../lib/store/room";
import type { StorageUsage } from "../../workers/keeper-protocol";
import { bytes } from "../_components/format";
import { ErrorNote } from "../_components/error-note";
import { countStorage } from "../_engine/keeper";
import { everything } from "../_state/everything";
import { models } from "../_state/models";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { persistenceWords, storageParts } from "./storage-words";

export function Storage() {
  const hands = useStore(workspace, (w) => w.hands);
  const adapters = useStore(workspace, (w) => w.adapters);
  const stored = useStore(models, (m) => m.stored);
  const ended = useStore(everything, (e) => e.ended);
  const [usage, setUsage] = useState<StorageUsage | null>(null);
  const [estimate, setEstimate] = useState<StorageEstimate | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let gone = false;
    const unlessGone = <T,>(set: (value: T) => void) => (value: T): void => { if (!gone) set(value); };
    countStorage().then(unlessGone(setUsage), unlessGone(setError));
    // A browser that does not say how much it holds has nothing to show here.
    storageEstimate().then(unlessGone(setEstimate), () => undefined);
    return () => { gone = true; };
  }, [hands, adapters, stored, ended]);
  const parts = usage === null ? [] : storageParts(usage);
  const total = parts.reduce((sum, part) => sum + part.bytes, 0);
  return (
    <>
      {error !== null && navigator.onLine && <div className="mt-4"><ErrorNote error={error} /></div>}
      <p className="mt-2" data-testid="storage-used">
        {usage !== null ? `${bytes(total)} in this browser` : error === null ? "Counting…" : "It cannot be counted just now"}
        {estimate !== null && usage !== null && <span className="quiet">, of {bytes(estimate.quotaBytes)} that it allows this site</span>}
      </p>
      {error !== null && !navigator.onLine && <p className="quiet">The part that counts had not been loaded when the network went. Open this page once with it, and it counts without.</p>}
      <div className="storage-bar mt-3" aria-hidden="true">
        {parts.filter((part) => part.bytes > 0).map(({ kind, bytes: size }) => <span key={kind} data-kind={kind} style={{ flexGrow: size }} />)}
      </div>
      <dl className="storage-figures" data-testid="storage-figures">
        {parts.map(({ kind, name, bytes: size }) => (
          <div key={kind} data-kind={kind} data-bytes={size}><dt><span className="swatch" data-kind={kind} aria-hidden="true" />{name}</dt><dd>{size === 0 ? "none" : bytes(size)}</dd></div>
        ))}
      </dl>
      {estimate !== null && usage !== null && <p className="small quiet mt-2">Counted piece by piece. The browser itself says {bytes(estimate.usedBytes)}, with its own bookkeeping and as it packs things.</p>}
      <Persistence />
    </>
  );
}

function Persistence() {
  const [kept, setKept] = useState<boolean | null>(null);
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    let gone = false;
    void isPersistent().then((persistent) => { if (!gone) setKept(persistent); });
    return () => { gone = true; };
  }, []);
  const ask = async (): Promise<void> => {
    setKept(await askToPersist());
    setAsked(true);
  };
  return (
    <div className="mt-5">
      <p role="status" data-testid="persistence">{persistenceWords(kept, asked)}</p>
      {kept === false && !asked && <button type="button" className="button mt-3" data-testid="ask-to-persist" onClick={() => void ask()}>Ask it to keep everything</button>}
    </div>
  );
}
