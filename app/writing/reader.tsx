"use client";
/** One piece: what there is to say of it, its text to read, edit, or see cut, and the way to its neighbours. */
import { useRef, useState, type RefObject } from "react";
import type { StoredDocument } from "../../lib/store/types";
import { Confirm } from "../_components/confirm";
import { ErrorNote } from "../_components/error-note";
import { plural } from "../_components/format";
import { deletePiece, drafts, setDraft, undoEdit } from "../_state/pieces";
import { useStore } from "../_state/use-store";
import { PART_WORDS } from "./parts";
import { PieceEdit } from "./piece-edit";
import { PieceNotes } from "./piece-notes";
import { PieceCut, PieceText } from "./piece-text";
import type { PiecePart } from "./rows";

interface Props {
  root: RefObject<HTMLElement | null>;
  documents: readonly StoredDocument[];
  open: StoredDocument;
  /** Null while there is too little to divide. */
  part: PiecePart | null;
  onOpen: (id: string) => void;
}

export function Reader({ root, documents, open, part, onOpen }: Props) {
  /** Of the piece that was open when it happened. */
  const [failure, setFailure] = useState<{ id: string; error: unknown } | null>(null);
  const [isCut, setIsCut] = useState(false);
  const [deleting, setDeleting] = useState(false);
  /** The piece as it was before the last edit. */
  const [before, setBefore] = useState<StoredDocument | null>(null);
  const editing = useStore(drafts, (all) => all[open.id] !== undefined);
  const at = documents.findIndex((d) => d.id === open.id);
  const previous = documents[at - 1];
  const next = documents[at + 1];
  const busy = useRef(false);

  /** One at a time: a second click while the first is at work would do it twice. */
  const attempt = (work: () => Promise<void>): void => {
    if (busy.current) return;
    busy.current = true;
    setFailure(null);
    work().catch((error: unknown) => setFailure({ id: open.id, error })).finally(() => { busy.current = false; });
  };
  const where = open.path !== undefined && open.path.includes("/") ? open.path : null;
  const facts = [plural(open.words, "word"), open.encoding === undefined || open.encoding === "utf-8" ? null : `read as ${open.encoding}`, part === null ? null : PART_WORDS[part]];
  return (
    <section ref={root} className="reader" aria-label="The piece that is open">
      {failure?.id === open.id && <ErrorNote error={failure.error} />}
      <article key={open.id}>
        <header className="reader-head">
          <h2 className="section-title">{open.name}</h2>
          <p className="quiet small">{facts.filter(Boolean).join(" · ")}</p>
          {where !== null && <p className="quiet small [overflow-wrap:anywhere]">From {where}</p>}
          <PieceNotes document={open} nameOf={(id) => documents.find((d) => d.id === id)?.name} onOpen={onOpen} attempt={attempt} />
        </header>
        {before?.id === open.id && !editing && (
          <p className="removed" role="status">Your changes are kept. <button type="button" className="link" data-testid="undo-edit" onClick={() => attempt(async () => {
            await undoEdit(before);
            setBefore(null);
          })}>Undo them</button></p>
        )}
        {editing ? <PieceEdit document={open} onKept={() => setBefore(open)} /> : isCut && open.excluded === undefined ? <PieceCut document={open} /> : <PieceText text={open.text} />}
        {!editing && (
          <p className="actions reader-tools">
            <button type="button" className="link" data-testid="edit-piece" onClick={() => setDraft(open.id, { text: open.text, before: open.text })}>Edit</button>
            {open.excluded === undefined && part !== null && <button type="button" className="link" aria-pressed={isCut} data-testid="show-cut" onClick={() => setIsCut(!isCut)}>{isCut ? "Show it whole" : "Show how it is cut"}</button>}
            <button type="button" className="link quiet" onClick={() => setDeleting(true)}>Delete for good</button>
          </p>
        )}
        <div className="reader-foot">
          {previous && <button type="button" className="link" onClick={() => onOpen(previous.id)}>‹ {previous.name}</button>}
          {next && <button type="button" className="link ml-auto text-right" onClick={() => onOpen(next.id)}>{next.name} ›</button>}
        </div>
      </article>
      {deleting && (
        <Confirm
          title="Delete this piece?" body={`“${open.name}” is deleted from this browser. Your file stays as it is, and so does what was learned already.`} action="Delete it"
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            const neighbour = next ?? previous;
            await deletePiece(open);
            if (neighbour !== undefined) onOpen(neighbour.id);
          }}
        />
      )}
    </section>
  );
}
