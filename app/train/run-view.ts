"use client";
/**
 * One shape for what the train page shows, whether the run goes on in this tab,
 * in another one, or is long over: from the live store where it can, else from
 * the database.
 */
import { useEffect, useState } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import { subscribe } from "../../lib/store/changes";
import type { SerializedError } from "../../lib/core/errors";
import { listMetrics, listSamples } from "../../lib/store/runs";
import type { AdapterReport, Metric, Run, RunSample } from "../../lib/store/types";
import { livePoints, type LiveRun } from "../_state/run";

/** "unsaved": over, with its result in this tab only. */
export type RunState = "active" | "elsewhere" | "finished" | "stopped" | "unsaved" | "failed" | "interrupted";

export interface RunView {
  state: RunState;
  /** Null in the first moments of a run of this tab. */
  stored: Run | null;
  live: LiveRun | null;
  samples: readonly RunSample[];
  points: readonly Metric[];
  /** Changes whenever `points` has. */
  version: string;
  report: AdapterReport | null;
  adapterId: string | null;
  error: SerializedError | null;
  /** What could not be stored, to be saved as a file. */
  unsaved: { name: string; file: Uint8Array; stopped: boolean } | null;
}

interface Kept {
  runId: string;
  points: readonly Metric[];
  samples: readonly RunSample[];
  version: number;
}

/** What to show of a run: `live` where it is this tab's, else what is stored of it. */
export function useRunView(live: LiveRun | null, stored: Run | null, adapters: readonly AdapterInfo[]): RunView | null {
  const kept = useKept(live === null ? (stored?.id ?? null) : null);
  if (live !== null) {
    const { outcome } = live;
    const ended = outcome !== null && outcome.status !== "failed" ? outcome : null;
    // The database knows of an adapter that was kept before a fault, and of one that was deleted since.
    const settled = outcome !== null && stored !== null && stored.status !== "running";
    return {
      state: outcome?.status ?? "active",
      stored,
      live,
      samples: live.samples,
      points: livePoints(),
      version: `live ${live.pointsVersion}`,
      report: ended?.report ?? null,
      adapterId: (settled || ended === null || !("adapterId" in ended) ? stored?.adapterId : ended.adapterId) ?? null,
      error: outcome !== null && "error" in outcome ? outcome.error : null,
      unsaved: outcome?.status === "unsaved" ? { name: outcome.name, file: outcome.file, stopped: outcome.stopped } : null,
    };
  }
  if (stored === null) return null;
  const mine = kept?.runId === stored.id ? kept : null;
  return {
    state: stored.status === "running" ? "elsewhere" : stored.status,
    stored,
    live: null,
    samples: mine?.samples ?? [],
    points: mine?.points ?? [],
    version: `${stored.id} ${mine?.version ?? 0}`,
    report: adapters.find((a) => a.id === stored.adapterId)?.report ?? null,
    adapterId: stored.adapterId ?? null,
    error: stored.error ?? null,
    unsaved: null,
  };
}

const passOver = (error: unknown): void => console.warn("Something of this run could not be read.", error);

/** Another tab stores points four times a second. */
const EVERY_MS = 1000;

/** The stored curve and samples of a run, read again when another tab adds to them. */
function useKept(runId: string | null): Kept | null {
  const [kept, setKept] = useState<Kept | null>(null);
  useEffect(() => {
    if (runId === null) return;
    let gone = false;
    let version = 0;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const read = async (): Promise<void> => {
      timer = null;
      try {
        const [points, samples] = await Promise.all([listMetrics(runId, passOver), listSamples(runId, passOver)]);
        if (!gone) setKept({ runId, points, samples, version: ++version });
      } catch (error) {
        console.warn("The curve of this run could not be read.", error);
      }
    };
    void read();
    const unsubscribe = subscribe((change) => {
      if (change.kind === "metrics" && change.runId === runId) timer ??= setTimeout(() => void read(), EVERY_MS);
    });
    return () => {
      gone = true;
      if (timer !== null) clearTimeout(timer);
      unsubscribe();
    };
  }, [runId]);
  return kept;
}
