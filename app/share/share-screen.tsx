"use client";
/** Brings the parts of the take-away page together: the adapters of the current hand, and nothing else. */
import Link from "next/link";
import { Waiting } from "../_components/waiting";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { AdapterRow } from "./adapter-row";
import { BringIn } from "./bring-in";
import { Elsewhere } from "./elsewhere";

export function ShareScreen() {
  const { phase, hand, adapters } = useStore(workspace, (w) => w);
  if (phase === "loading") return <Waiting title="Take away" />;
  const latest = adapters.at(-1);
  return (
    <div className="folio">
      <div className="min-w-0">
        {latest === undefined ? (
          <>
            <h1 className="title">There is nothing to take away yet</h1>
            <p className="lead">
              What the model learns of a hand is a small file, an adapter. {hand === null
                ? <><Link className="link" href="/">Begin with some writing</Link>, train, and it will lie here; or bring one in that someone gave you.</>
                : <><Link className="link" href="/train">Train it</Link>, and the file will lie here; or bring one in that you took away before.</>}
            </p>
          </>
        ) : (
          <>
            <h1 className="title">Take it with you</h1>
            <p className="lead">What the model learned of this hand is a small file, an adapter. It is yours; this page keeps it in this browser only. It may repeat phrases of the writing it learned from, so share it as you would share that.</p>
            <ul className="list-rows mt-8">
              {[...adapters].reverse().map((adapter) => <AdapterRow key={adapter.id} adapter={adapter} latest={adapter.id === latest.id} />)}
            </ul>
          </>
        )}
        <BringIn hand={hand} />
        {latest !== undefined && <Elsewhere modelId={latest.modelId} />}
      </div>
      <aside className="margin">
        {latest !== undefined && (
          <section className="margin-part">
            <h2>For a friend</h2>
            <p className="small quiet">Send the one file. Whoever opens this site and drops it on a page can write with it; the model it needs comes with the site, unless you chose another.</p>
          </section>
        )}
        <section className="margin-part">
          <h2>All of it</h2>
          <p className="small quiet">To move every hand to another device, or to delete what is here, go to <Link className="link" href="/settings">Settings</Link>.</p>
        </section>
      </aside>
    </div>
  );
}
