"use client";
/** For somebody whose run was cut off: going on with it, first of all. */
import { useRouter } from "next/navigation";
import { continueRun, isActive, run } from "../_state/run";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";

export function Interrupted() {
  const { hand, runs } = useStore(workspace, (w) => w);
  const live = useStore(run, (r) => r.live);
  const router = useRouter();
  const last = runs.at(-1);
  if (hand === null || isActive(live) || last?.status !== "interrupted" || last.checkpointStep === undefined || last.checkpointStep >= last.totalSteps) return null;
  const go = async (): Promise<void> => {
    await continueRun(last);
    router.push("/train");
  };
  return (
    <section className="mt-10" aria-labelledby="interrupted" data-testid="interrupted-run">
      <h2 id="interrupted" className="label mb-2">Cut off</h2>
      <p className="prose">The run of “{hand.name}” was interrupted at step {last.step} of {last.totalSteps}. It can go on from step {last.checkpointStep}, just as if nothing had happened.</p>
      <div className="actions mt-4">
        <button type="button" className="button button-primary" data-testid="go-on" onClick={() => void go()}>Go on from step {last.checkpointStep}</button>
        <button type="button" className="link" onClick={() => router.push("/train")}>See the run first</button>
      </div>
    </section>
  );
}
