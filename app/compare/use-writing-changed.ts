"use client";
/**
 * Whether the writing is still the one that an adapter was trained on. If it is
 * not, it was divided anew since, and what is kept aside now may be what the
 * adapter learned from. Judged by the hash that its run has stored.
 */
import { useEffect, useState } from "react";
import { dataHash } from "../../lib/data/examples";
import { splitOf } from "../../lib/store/hand-split";
import type { Hand, Run, StoredDocument } from "../../lib/store/types";

/** @param run that made the adapter; null for one that was brought in, of which nothing is known */
export function useWritingChanged(hand: Hand | null, documents: readonly StoredDocument[], run: Run | null): boolean {
  const [found, setFound] = useState<{ runId: string; documents: readonly StoredDocument[]; hash: string } | null>(null);
  useEffect(() => {
    if (hand === null || run === null || run.dataHash === "") return;
    let gone = false;
    dataHash(documents, splitOf(hand, documents), run.config).then(
      (hash) => { if (!gone) setFound({ runId: run.id, documents, hash }); },
      () => undefined, // then nothing is claimed
    );
    return () => { gone = true; };
  }, [hand, documents, run]);
  return run !== null && found !== null && found.runId === run.id && found.documents === documents && found.hash !== run.dataHash;
}
