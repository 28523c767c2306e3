"use client";
/** Brings the parts of the writing page together for the current hand. */
import Link from "next/link";
import { useMemo, useRef, useState } from "react";
import { MIN_WORDS_TO_TRAIN } from "../../lib/data/documents";
import { splitDocuments } from "../../lib/data/split";
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
import { SplitView } from "./split-view";

export function WritingScreen() {
  const { phase, hand, documents } = useStore(workspace, (w) => w);
  if (phase === "loading") return <Waiting title="Writing" />;
  if (hand === null) return <NoHand />;
  return <Filled key={hand.id} hand={hand} documents={documents} />;
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

function Filled({ hand, documents }: { hand: Hand; documents: readonly StoredDocument[] }) {
  const [openId, setOpenId] = useState<string | null>(null);
  const reportFor = useStore(intake, (i) => i.handId);
  const busy = useStore(intake, (i) => i.busy);
  const split = useMemo(() => splitDocuments(documents, hand.seed), [documents, hand.seed]);
  const words = documents.reduce((sum, d) => sum + d.words, 0);
  const enough = words >= MIN_WORDS_TO_TRAIN;
  const reader = useRef<HTMLElement>(null);
  const turnTo = (id: string): void => {
    setOpenId(id);
    // The new piece begins at its beginning, wherever the page has been scrolled to.
    const top = reader.current?.getBoundingClientRect().top ?? 0;
    if (top < 0 || top > innerHeight * 0.8) reader.current?.scrollIntoView({ block: "start" });
  };
  const open = documents.find((d) => d.id === openId) ?? documents[0] ?? null;

  return (
    <div className="folio">
      <div className="min-w-0">
        <h1 className="title">{documents.length === 0 ? "No pieces yet" : `${plural(documents.length, "piece")}, ${plural(words, "word")}`}</h1>
        {enough ? (
          <SplitView split={split} documents={documents} />
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
        <Reader root={reader} documents={documents} open={open} split={enough ? split : null} onOpen={turnTo} />
      </div>
      <aside className="margin margin-contents">
        <Contents documents={documents} openId={open?.id ?? null} split={enough ? split : null} onOpen={turnTo} />
      </aside>
    </div>
  );
}
