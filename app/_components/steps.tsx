"use client";
/** The line of steps. Each is always a link; its state stands under it in words. */
import Link from "next/link";
import { usePathname } from "next/navigation";
import { isActive, run } from "../_state/run";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { count } from "./format";
import { canGoOn } from "./go-on";
import { phaseName } from "./phases";

type StepState = "none" | "ready" | "going" | "done";

interface Step {
  href: string;
  name: string;
  state: StepState;
  words: string;
}

export function Steps() {
  const path = usePathname();
  const steps = useSteps();
  return (
    <nav aria-label="Steps">
      <ol className="steps">
        {steps.map(({ href, name, state, words }) => (
          <li key={href}>
            <Link href={href} className="step" data-state={state} aria-current={path === href ? "page" : undefined}>
              <span className="step-name">{name}</span>
              <span className="step-state">{words}</span>
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function useSteps(): Step[] {
  const { phase, hand, used: documents, runs, adapters } = useStore(workspace, (w) => w);
  const live = useStore(run, (r) => r.live);
  const loading = phase === "loading";
  const none = (words = "Not begun"): Pick<Step, "state" | "words"> => ({ state: "none", words: loading ? " " : words });

  const writing = documents.length === 0 ? none() : { state: "done" as const, words: documents.length === 1 ? "1 piece" : `${count(documents.length)} pieces` };
  const last = runs.at(-1);
  const active = isActive(live) && live.handId === hand?.id ? live : null;
  const train =
    active !== null ? { state: "going" as const, words: active.phase === "training" && active.progress ? (active.paused ? "Paused" : `Step ${active.progress.step} of ${active.progress.totalSteps}`) : phaseName(active.phase) }
    : live?.outcome?.status === "unsaved" && live.handId === hand?.id ? { state: "ready" as const, words: "Not kept yet" }
    : last?.status === "running" ? { state: "going" as const, words: "In another tab" }
    : last?.status === "interrupted" && canGoOn(last) ? { state: "ready" as const, words: "Cut off" }
    : adapters.length > 0 ? { state: "done" as const, words: "Done" }
    : documents.length > 0 ? { state: "ready" as const, words: "Ready" }
    : none();
  const ready = adapters.length > 0 ? { state: "ready" as const, words: "Ready" } : none();
  return [
    { href: "/writing", name: "Writing", ...writing },
    { href: "/train", name: "Train", ...train },
    { href: "/compare", name: "Compare", ...ready },
    { href: "/chat", name: "Chat", ...(hand === null ? none() : { state: "ready" as const, words: adapters.length > 0 ? "Ready" : "Untaught" }) },
    { href: "/share", name: "Take away", ...(adapters.length > 0 ? { state: "ready" as const, words: adapters.length === 1 ? "1 adapter" : `${count(adapters.length)} adapters` } : none()) },
  ];
}
