"use client";
/** Before the first run: what will happen, how it is set, and the button. */
import { useEffect, useMemo, useState } from "react";
import { splitDocuments } from "../../lib/data/split";
import { isPersistent } from "../../lib/store/room";
import { splitOptions } from "../../lib/store/hands";
import type { Hand, StoredDocument } from "../../lib/store/types";
import { plural } from "../_components/format";
import { learnThreads } from "../_engine/threads";
import { lookAtDevice, type DeviceOutlook } from "../_engine/device";
import type { AdapterInfo } from "../../lib/store/adapters";
import { askForecast } from "../_state/forecast";
import { workspace } from "../_state/workspace";
import { nextRun } from "../_state/starting";
import { ModelLine, useModelGone } from "./model-line";
import { Setup } from "./setup";
import { StartButton } from "./start-button";

export function Before({ hand, documents, adapters, blocked, linked }: { hand: Hand; documents: readonly StoredDocument[]; adapters: readonly AdapterInfo[]; blocked: boolean; linked: boolean }) {
  const split = useMemo(() => splitDocuments(documents, hand.seed, splitOptions(hand)), [documents, hand]);
  const [device, setDevice] = useState<DeviceOutlook | null>(null);
  const [kept, setKept] = useState<boolean | null>(null);
  const modelGone = useModelGone(hand);
  useEffect(() => {
    let gone = false;
    const look = () => lookAtDevice().then((outlook) => { if (!gone) setDevice(outlook); });
    void look();
    const timing = new AbortController();
    learnThreads(timing.signal).then(() => {
      const current = workspace.get().hand;
      if (gone || current === null) return;
      askForecast(nextRun(current));
      return look();
    }, () => undefined); // else the usual count serves
    void isPersistent().then((persistent) => { if (!gone) setKept(persistent); });
    return () => {
      gone = true;
      timing.abort();
    };
  }, []);
  const { words, documents: pieces } = split.rule;
  return (
    <div className="folio">
      <div className="min-w-0">
        <h1 className="title">The model has not read a word of this hand yet</h1>
        <p className="lead">
          It will read {split.rule.byDocument ? plural(pieces.train, "piece") : `the first ${Math.round(100 * split.rule.shares.train)} % of it`}, {plural(words.train, "word")}, several times over. Now and then it stops to write a few lines, so that you
          can read along as its writing changes, and to be checked on what was kept aside.
        </p>
        <p className="lead">You may stop at any time and keep what it has learned by then. Leave this tab open meanwhile.</p>
        <Setup hand={hand} adapters={adapters} open={linked}>
          <div className="actions mt-7" data-testid="run-status" data-state="idle">
            <StartButton hand={hand} disabled={blocked || modelGone}>Start training</StartButton>
          </div>
        </Setup>
      </div>
      <aside className="margin">
        <section className="margin-part">
          <h2>Will be done by</h2>
          <p>{device?.headline ?? "Looking…"}</p>
          <p className="small quiet">{device?.detail ?? " "}</p>
        </section>
        <ModelLine hand={hand} />
        <section className="margin-part">
          <h2>Needs</h2>
          <p className="small quiet">{hand.model === undefined
            ? "The model is fetched from this site the first time, 40 to 50 MB with what it runs on. Your writing is not sent the other way."
            : "What the model runs on is fetched from this site the first time, some 25 MB. Your writing is not sent the other way."}</p>
          {kept === false && <p className="small quiet mt-2">Your browser may ask whether this site may keep its data. If you allow it, nothing here is cleared when the disk fills up.</p>}
        </section>
      </aside>
    </div>
  );
}
