"use client";
/** Brings the parts of the writing page together for the current hand. */
import dynamic from "next/dynamic";
import Link from "next/link";
import { useMemo, useRef, useState } from "react";
import { MIN_WORDS_TO_TRAIN } from "../../lib/data/documents";
import { splitDocuments } from "../../lib/data/split";
import { splitOptions } from "../../lib/store/hands";
import type { Hand, StoredDocument } from "../../lib/store/types";
import { count, plural } from "../_components/format";
import { IntakeReport } from "../_components/intake-report";
import { Waiting } from "../_components/waiting";
import { intake } from "../_state/intake";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { AddMore } from "./add-more";
import { Contents } from "./contents";
import { Reader } from "./reader";
import { rowsOf } from "./rows";
import { SplitSettings } from "./split-settings";
import { SplitView } from "./split-view";
import { Totals } from "./totals";

const Examples = dynamic(() => import("./examples").then((module) => module.Examples), { loading: () => <p className="quiet" role="status">Opening…</p> });

export function WritingScreen() {
  const { phase, hand, documents, used, adapters } = useStore(workspace, (w) => w);
  if (phase === "loading") return <Waiting title="Writing" />;
  if (hand === null) return <NoHand />;
  return <Filled key={hand.id} hand={hand} documents={documents} used={used} hasLearned={adapters.length > 0} />;
}

function NoHand() {
  return (
    <div className="folio-wide">
      <h1 className="title">There is no writing here yet</h1>
      <p className="lead">Drop a text file anywhere on this page, or <Link className="link" href="/">begin at the start</Link>, where two sample writers are waiting too.</p>
      <IntakeReport />
    </div>
  );
}

interface Props {
  hand: Hand;
  documents: readonly StoredDocument[];
  /** Without what is left out. */
  used: readonly StoredDocument[];
  hasLearned: boolean;
}

function Filled({ hand, documents, used, hasLearned }: Props) {
  const [openId, setOpenId] = useState<string | null>(null);
  const [showsExamples, setShowsExamples] = useState(false);
  const reportFor = useStore(intake, (i) => i.handId);
  const busy = useStore(intake, (i) => i.busy);
  const words = used.reduce((sum, d) => sum + d.words, 0);
  const enough = words >= MIN_WORDS_TO_TRAIN;
  const split = useMemo(() => (enough ? splitDocuments(used, hand.seed, splitOptions(hand)) : null), [enough, used, hand]);
  const reader = useRef<HTMLElement>(null);
  const turnTo = (id: string): void => {
    setOpenId(id);
    // The new piece begins at its beginning, wherever the page has been scrolled to.
    const top = reader.current?.getBoundingClientRect().top ?? 0;
    if (top < 0 || top > innerHeight * 0.8) reader.current?.scrollIntoView({ block: "start" });
  };
  const open = documents.find((d) => d.id === openId) ?? used[0] ?? documents[0] ?? null;
  const part = useMemo(() => (open === null || split === null ? null : (rowsOf([open], split)[0]?.part ?? null)), [open, split]);

  return (
    <div className="folio">
      <div className="min-w-0">
        <h1 className="title">{used.length === 0 ? (documents.length === 0 ? "No pieces yet" : "All pieces are left out") : `${plural(used.length, "piece")}, ${plural(words, "word")}`}</h1>
        <Totals hand={hand} documents={documents} />
        {split !== null ? (
          <SplitView split={split} documents={used} />
        ) : (
          <p className="lead" data-testid="too-little">
            {documents.length === 0 ? "Add some of your writing to begin." : `That is too little to learn a hand from: at least ${count(MIN_WORDS_TO_TRAIN)} words are needed, and a few thousand teach much more.`}
          </p>
        )}
        <div className="actions mt-7">
          {enough && <Link href="/train" className="button button-primary" data-testid="teach">Teach the model this hand</Link>}
          <AddMore hand={hand} primary={!enough} />
        </div>
        {(busy || reportFor === hand.id) && <IntakeReport />}
        {split !== null && (
          <div className="writing-more">
            <SplitSettings hand={hand} hasLearned={hasLearned} />
            <details className="folded" onToggle={(event) => setShowsExamples(event.currentTarget.open)} data-testid="examples-fold">
              <summary>See what the model will be given</summary>
              {showsExamples && <Examples hand={hand} documents={used} />}
            </details>
          </div>
        )}
        {open !== null && <Reader root={reader} documents={documents} open={open} part={open.excluded === undefined ? part : null} onOpen={turnTo} />}
      </div>
      <aside className="margin margin-contents">
        <Contents handId={hand.id} documents={documents} openId={open?.id ?? null} split={split} onOpen={turnTo} />
      </aside>
    </div>
  );
}
