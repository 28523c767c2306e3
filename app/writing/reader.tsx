"use client";
/** One piece in book type, with the way to its neighbours, and to leaving it out. */
import { useRef, useState, type RefObject } from "react";
import type { Split } from "../../lib/data/split";
import type { StoredDocument } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { plural } from "../_components/format";
import { leaveOut, putBack } from "../_state/intake";
import { PART_WORDS, partOf } from "./parts";

/** A novel is shown a stretch of characters at a time, a text without paragraphs too; all of it at once would make the page crawl. */
const STRETCH = 40_000;
/** A stretch may be this much longer, to end with a paragraph. */
const STRETCH_SLACK = 8_000;

interface Props {
  root: RefObject<HTMLElement | null>;
  documents: readonly StoredDocument[];
  open: StoredDocument | null;
  /** Null while there is too little to divide. */
  split: Split | null;
  onOpen: (id: string) => void;
}

export function Reader({ root, documents, open, split, onOpen }: Props) {
  /** All that were left out while this page is open, so that each can be put back. */
  const [removed, setRemoved] = useState<readonly StoredDocument[]>([]);
  const [error, setError] = useState<unknown>(null);
  const at = documents.findIndex((d) => d.id === open?.id);
  const before = documents[at - 1];
  const after = documents[at + 1];

  const busy = useRef(false);
  /** One at a time: a second click while the first is at work would do it twice. */
  const attempt = (work: () => Promise<void>): void => {
    if (busy.current) return;
    busy.current = true;
    setError(null);
    work().catch(setError).finally(() => { busy.current = false; });
  };
  const remove = async (document: StoredDocument): Promise<void> => {
    const neighbour = after ?? before;
    await leaveOut(document);
    setRemoved((all) => [...all, document]);
    if (neighbour !== undefined) onOpen(neighbour.id);
  };
  const restore = async (document: StoredDocument): Promise<void> => {
    await putBack(document);
    setRemoved((all) => all.filter((d) => d.id !== document.id));
  };

  const last = removed.at(-1);
  return (
    <section ref={root} className="reader" aria-label="The piece that is open">
      {error !== null && <ErrorNote error={error} />}
      {last !== undefined && (
        <p className="removed" role="status">
          “{last.name}” was left out. <button type="button" className="link" onClick={() => attempt(() => restore(last))}>Put it back</button>
        </p>
      )}
      {open !== null && (
        <article key={open.id}>
          <header className="reader-head">
            <h2 className="section-title">{open.name}</h2>
            <p className="quiet small">
              {[plural(open.words, "word"), open.encoding === undefined || open.encoding === "utf-8" ? null : `read as ${open.encoding}`, split === null ? null : PART_WORDS[partOf(split, open.id)]].filter(Boolean).join(" · ")}
            </p>
          </header>
          <Text text={open.text} />
          <div className="reader-foot">
            {before && <button type="button" className="link" onClick={() => onOpen(before.id)}>‹ {before.name}</button>}
            {after && <button type="button" className="link ml-auto text-right" onClick={() => onOpen(after.id)}>{after.name} ›</button>}
          </div>
          <button type="button" className="link quiet small mt-4" onClick={() => attempt(() => remove(open))}>Leave this piece out</button>
        </article>
      )}
    </section>
  );
}

function Text({ text }: { text: string }) {
  const [shown, setShown] = useState(STRETCH);
  const end = stretchEnd(text, shown);
  const paragraphs = text.slice(0, end).split(/\n{2,}/);
  return (
    <>
      <div className="prose">
        {paragraphs.map((paragraph, i) => <p key={i}>{paragraph}</p>)}
      </div>
      {end < text.length && <button type="button" className="button mt-6" onClick={() => setShown(end + STRETCH)}>Read on</button>}
    </>
  );
}

/** Where a stretch of about `length` characters ends: with a paragraph, if one ends soon, and never within a character. */
function stretchEnd(text: string, length: number): number {
  if (text.length <= length + STRETCH_SLACK) return text.length;
  const paragraph = text.slice(length, length + STRETCH_SLACK).indexOf("\n\n");
  if (paragraph >= 0) return length + paragraph;
  const space = text.slice(length, length + STRETCH_SLACK).indexOf(" ");
  const end = space >= 0 ? length + space : length;
  return /[\uDC00-\uDFFF]/.test(text[end] ?? "") ? end + 1 : end;
}
