"use client";
/** For somebody whose run was cut off: going on with it, first of all. */
import { useRouter } from "next/navigation";
import { canGoOn } from "../_components/go-on";
import { continueRun, isBusy, run } from "../_state/run";
import { useStore } from "../_state/use-store";
import { useGoneModelOf } from "../train/model-line";
import { workspace } from "../_state/workspace";

export function Interrupted() {
  const { hand, runs } = useStore(workspace, (w) => w);
  const live = useStore(run, (r) => r.live);
  const router = useRouter();
  const gone = useGoneModelOf(runs.at(-1) ?? null);
  const last = runs.at(-1);
  if (hand === null || isBusy(live) || last?.status !== "interrupted" || !canGoOn(last)) return null;
  const go = async (): Promise<void> => {
    await continueRun(last);
    router.push("/train");
  };
  return (
    <section className="mt-10" aria-labelledby="interrupted" data-testid="interrupted-run">
      <h2 id="interrupted" className="label mb-2">Cut off</h2>
      <p className="prose">The run of “{hand.name}” was interrupted at step {last.step} of {last.totalSteps}. It can go on from step {last.checkpointStep}, just as if nothing had happened{gone !== null && `, once the folder of “${gone}” has been brought in again`}.</p>
      <div className="actions mt-4">
        {gone === null && <button type="button" className="button button-primary" data-testid="go-on" onClick={() => void go()}>Go on from step {last.checkpointStep}</button>}
        <button type="button" className="link" onClick={() => router.push("/train")}>{gone === null ? "See the run first" : "See the run"}</button>
      </div>
    </section>
  );
}
