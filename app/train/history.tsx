"use client";
/** The runs of this hand, latest first, by name; the one on show can be renamed, saved as data, compared with another, deleted. */
import { useState } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Run, RunStatus } from "../../lib/store/types";
import { perplexities } from "../_components/format";
import { namesOf } from "../_state/run-records";
import { models } from "../_state/models";
import { useStore } from "../_state/use-store";
import { RunTools } from "./run-tools";

const WORDS: Record<RunStatus, string> = { running: "going on", finished: "finished", stopped: "stopped", failed: "failed", interrupted: "interrupted" };

interface Props {
  runs: readonly Run[];
  adapters: readonly AdapterInfo[];
  /** Null in the first moments of a run of this tab. */
  shown: Run | null;
  /** Null while a run must stay in view. */
  onShow: ((id: string) => void) | null;
  /** The run beside the one on show; null where none is compared. */
  besideId: string | null;
  onCompare: (id: string | null) => void;
}

export function History({ runs, adapters, shown, onShow, besideId, onCompare }: Props) {
  const [now] = useState(() => Date.now());
  useStore(models, (m) => m.stored); // the names tell where the dial stood, which goes by the model
  if (runs.length === 0) return null;
  const names = namesOf(runs, now);
  const named = runs.map((run, i) => ({ run, name: names[i] ?? "" })).reverse();
  const current = named.find(({ run }) => run.id === shown?.id);
  return (
    <section className="margin-part" data-testid="history">
      <h2>Runs of this hand</h2>
      <ol className="history">
        {named.map(({ run, name }) => {
          const report = adapters.find((a) => a.id === run.adapterId)?.report;
          return (
            <li key={run.id}>
              <button type="button" aria-current={run.id === shown?.id} disabled={onShow === null} onClick={() => onShow?.(run.id)}>
                <span className="[overflow-wrap:anywhere]">{name}</span>
                <span className="quiet small">{WORDS[run.status]}{report ? `, perplexity ${perplexities(report.base.perplexity, report.tuned.perplexity).join(" → ")}` : run.totalSteps > 0 ? `, step ${run.step} of ${run.totalSteps}` : ""}</span>
              </button>
            </li>
          );
        })}
      </ol>
      {current !== undefined && current.run.status !== "running" && (
        <RunTools key={current.run.id} run={current.run} name={current.name} others={named.filter(({ run }) => run.id !== current.run.id)} besideId={besideId} onCompare={onCompare} />
      )}
    </section>
  );
}
