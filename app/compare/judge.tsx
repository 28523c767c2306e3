"use client";
/** The blind judging: how it begins, the pairs while they are written, the card to be judged, the result, and earlier ones. */
import { useEffect, useId, useState } from "react";
import type { HeldOutPassage } from "../../lib/data/held-out-passages";
import { isDraft } from "../../lib/eval/blind-draft";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Hand } from "../../lib/store/types";
import { Confirm } from "../_components/confirm";
import { ErrorNote } from "../_components/error-note";
import { count, date, plural } from "../_components/format";
import { beginJudging, judging, keepAgain, openJudgingOf, removeJudging, showJudging, showJudgings, type OpenJudging } from "../_state/judging";
import { useStore } from "../_state/use-store";
import { JudgeCard } from "./judge-card";
import { JudgeDraft } from "./judge-draft";
import { JudgeResult } from "./judge-result";

interface Props {
  hand: Hand;
  adapter: AdapterInfo;
  passages: readonly HeldOutPassage[];
  /** The writing is no longer the one that the adapter was trained on. */
  changed: boolean;
}

export function Judge({ hand, adapter, passages, changed }: Props) {
  const desk = useStore(judging, (j) => j);
  const [removing, setRemoving] = useState<OpenJudging | null>(null);
  useEffect(() => void showJudgings(hand.id, adapter.id), [hand.id, adapter.id]);
  if (desk.adapterId !== adapter.id) return <p className="lead quiet" role="status">Opening…</p>;
  const open = openJudgingOf(desk);
  const others = desk.list.filter(({ id }) => id !== open?.id);
  return (
    <section className="judge" aria-label="Judge blind" data-testid="judge">
      {open === null ? <Begin hand={hand} adapter={adapter} passages={passages} changed={changed} />
        : isDraft(open.state) ? <JudgeDraft judged={open} draft={open.state} writing={desk.writing} passages={passages} />
        : open.state.ended ? <JudgeResult judged={open} state={open.state} hand={hand} />
        : <JudgeCard state={open.state} hand={hand} />}
      {desk.error !== null && <div className="mt-6"><ErrorNote error={desk.error}>{open !== null && !isDraft(open.state) && <button type="button" className="button" onClick={keepAgain}>Try to keep it again</button>}</ErrorNote></div>}
      {(open !== null || others.length > 0) && (
        <div className="judge-others">
          {open !== null && (
            <div className="actions">
              {(isDraft(open.state) || !open.state.ended) && desk.writing === null && <button type="button" className="link small" data-testid="judge-leave" onClick={() => showJudging(null)}>Leave it for now</button>}
              {!isDraft(open.state) && open.state.ended && <button type="button" className="button" data-testid="judge-another" onClick={() => showJudging(null)}>Judge other texts</button>}
              {desk.writing?.id !== open.id && <button type="button" className="link small quiet" data-testid="judge-delete" onClick={() => setRemoving(open)}>Delete…</button>}
            </div>
          )}
          {others.length > 0 && (
            <>
              <h3 className="judge-small-title">{open === null ? "Judged before" : "Others"}</h3>
              <ul className="list-rows">
                {others.map((one) => <li key={one.id}><button type="button" className="judge-other" data-testid="judge-other" onClick={() => showJudging(one.id)}><span>{date(one.createdAt)}</span> <span className="quiet">{standingOf(one)}</span></button></li>)}
              </ul>
            </>
          )}
        </div>
      )}
      {removing !== null && (
        <Confirm title="Delete this judging?" body="Its texts and your choices will be deleted from this browser. There is no other copy, except for what you have saved." action="Delete it" onConfirm={() => removeJudging(removing)} onClose={() => setRemoving(null)} />
      )}
    </section>
  );
}

function standingOf({ state }: OpenJudging): string {
  if (isDraft(state)) return `${state.pairs.length} of ${plural(state.wanted, "pair")} written`;
  return state.ended ? `${plural(state.choices.length, "pair")} judged` : `${state.choices.length} of ${plural(state.cards.length, "pair")} judged`;
}

const PAIRS = [10, 20, 40, 80] as const;

function Begin({ hand, adapter, passages, changed }: Props) {
  const id = useId();
  const [pairs, setPairs] = useState<number>(20);
  const busy = useStore(judging, (j) => j.writing !== null);
  if (passages.length === 0) return <p className="lead" data-testid="judge-too-little">There is too little writing kept aside to let them write on from. With more of {hand.name}’s writing, you can judge here which text sounds more like it, without knowing which model wrote it.</p>;
  return (
    <>
      <p className="lead">Both models write on from passages of {hand.name} that were kept aside. You read two texts at a time and say which sounds more like {hand.name}, without knowing which is whose. At the end you see how often you chose the taught one, and whether that could be chance.</p>
      {changed && <p className="note note-quiet mt-4">You have changed the writing since this was learned, and it was divided anew: the model may have learned from some of these passages.</p>}
      <div className="judge-begin">
        <label htmlFor={id}>Pairs</label>
        <select id={id} className="field" value={pairs} onChange={(event) => setPairs(Number(event.currentTarget.value))}>
          {PAIRS.map((n) => <option key={n} value={n}>{n}</option>)}
        </select>
        <button type="button" className="button button-primary" data-testid="judge-begin" disabled={busy} onClick={() => void beginJudging(hand.id, adapter.id, passages, pairs, newSeed())}>Let both write</button>
      </div>
      <p className="quiet small mt-3">About 20 pairs tell a clear preference from chance.{passages.length < pairs && ` There ${passages.length === 1 ? "is one passage" : `are ${count(passages.length)} passages`} kept aside, so ${passages.length === 1 ? "it comes" : "they come"} again.`}</p>
    </>
  );
}

/** Chance is wanted here; it is kept with the judging. */
const newSeed = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 1000;
