"use client";
/** Decides what the train page shows: nothing to learn from, ready to begin, a run, or another hand's run. */
import Link from "next/link";
import { useEffect, useState } from "react";
import { MIN_WORDS_TO_TRAIN } from "../../lib/data/documents";
import { Waiting } from "../_components/waiting";
import { warmTrainer } from "../_engine/trainer";
import { warmWriter } from "../_engine/writer";
import { isActive, isBusy, run } from "../_state/run";
import { useStore } from "../_state/use-store";
import { openModels } from "../_state/models";
import { LINK_HASH, openRecipe } from "../_state/recipe";
import { situationOf } from "../_state/situation";
import { openHand, workspace } from "../_state/workspace";
import { Before } from "./before";
import { History } from "./history";
import { RunScreen } from "./run-screen";
import { useRunView } from "./run-view";

export function TrainScreen() {
  const { phase, hand, hands, used: documents, runs, adapters } = useStore(workspace, (w) => w);
  const live = useStore(run, (r) => r.live);
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [linked, setLinked] = useState(false);
  const [besideId, setBesideId] = useState<string | null>(null);

  useEffect(() => {
    // The workers' scripts, so that after this page a run needs nothing more from the network but the model.
    warmTrainer();
    warmWriter();
    openRecipe();
    void openModels();
  }, []);
  const hasBegun = live !== null;
  useEffect(() => {
    if (!hasBegun) return;
    // Once there is a run, all that this page may show of it, network or not.
    const parts = [import("./curve-draw"), import("./advanced"), import("./comparison"), import("../../lib/train/sft/run-data")];
    for (const part of parts) part.catch(() => undefined); // asked for again, and answered for, where it is used
  }, [hasBegun]);
  const handId = hand?.id;
  useEffect(() => {
    // Once it is known whose writing the dial goes by.
    const current = workspace.get().hand;
    const { hash } = location;
    if (handId === undefined || current?.id !== handId || !hash.startsWith(LINK_HASH)) return;
    history.replaceState(history.state, "", location.pathname + location.search);
    void openModels().then(() => import("../_state/recipe-file")).then(({ takeLink }) => {
      takeLink(hash, situationOf(current));
      setLinked(true);
    }, () => undefined);
  }, [handId]);

  const mine = live !== null && live.handId === hand?.id ? live : null;
  const chosen = runs.find((r) => r.id === chosenId) ?? null;
  const showsLive = mine !== null && (isActive(mine) || chosen === null || chosen.id === mine.runId);
  const stored = showsLive ? (runs.find((r) => r.id === mine.runId) ?? null) : (chosen ?? runs.at(-1) ?? null);
  const view = useRunView(showsLive ? mine : null, stored, adapters);

  const beside = runs.find((r) => r.id === besideId && r.id !== view?.stored?.id) ?? null;

  if (phase === "loading") return <Waiting title="Train" />;
  const words = documents.reduce((sum, d) => sum + d.words, 0);
  if (hand === null || (words < MIN_WORDS_TO_TRAIN && view === null)) {
    return (
      <div className="folio-wide">
        <h1 className="title">There is not enough to learn from yet</h1>
        <p className="lead">At least {MIN_WORDS_TO_TRAIN} words of writing are needed. <Link className="link" href={hand === null ? "/" : "/writing"}>Add some writing first</Link>.</p>
      </div>
    );
  }

  const other = isBusy(live) && live.handId !== hand.id ? hands.find((h) => h.id === live.handId) : undefined;
  const elsewhere = view?.state === "elsewhere";
  return (
    <>
      {other !== undefined && (
        <p className="busy-elsewhere" role="status">
          {isActive(live) ? `“${other.name}” is being learned now.` : `What was learned of “${other.name}” is not kept yet; another run would lose it.`} <button type="button" className="link" onClick={() => void openHand(other.id)}>Go there</button>
        </p>
      )}
      {view === null
        ? <Before hand={hand} documents={documents} adapters={adapters} blocked={other !== undefined} linked={linked} />
        : <RunScreen key={showsLive ? "live" : view.stored?.id} hand={hand} view={view} canStart={other === undefined && !isActive(live) && !elsewhere && words >= MIN_WORDS_TO_TRAIN} linked={linked} beside={beside} onStart={() => { setChosenId(null); setBesideId(null); }}>
            <History runs={runs} adapters={adapters} shown={view.stored} onShow={isActive(mine) ? null : setChosenId} besideId={beside?.id ?? null} onCompare={setBesideId} />
          </RunScreen>}
    </>
  );
}
