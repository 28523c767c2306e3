/** Start: what this is, a place to drop writing, and two sample writers to try it with. */
import { About } from "../_start/about";
import { Begin } from "../_start/begin";
import { Interrupted } from "../_start/interrupted";
import { KnownHands } from "../_start/known-hands";
import { SampleWriters } from "../_start/sample-writers";

export default function StartPage() {
  return (
    <div className="folio">
      <div>
        <h1 className="title start-title">Teach a small language model to write in your hand.</h1>
        <p className="lead">
          Give it writing of yours: a diary, letters, stories, a few thousand words. It learns from them in this tab, on this device,
          and then writes beside its untaught self, so that you can read what it took from you.
        </p>
        <Interrupted />
        <KnownHands />
        <Begin />
        <SampleWriters />
      </div>
      <aside className="margin">
        <About />
      </aside>
    </div>
  );
}
