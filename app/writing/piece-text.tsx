"use client";
/** The text of a piece in book type, a stretch at a time; and the same with the places where it is cut. Always as text, whatever is in it. */
import { useEffect, useState } from "react";
import type { StoredDocument } from "../../lib/store/types";
import type { Cut } from "../../workers/importer-protocol";
import { ErrorNote } from "../_components/error-note";
import { plural } from "../_components/format";
import { cutsOf } from "../_engine/importer";
import { PART_WORDS } from "./parts";

/** A novel is shown a stretch of characters at a time, a text without paragraphs too; all of it at once would make the page crawl. */
const STRETCH = 40_000;
/** A stretch may be this much longer, to end with a paragraph. */
const STRETCH_SLACK = 8_000;
/** Passages shown at once. */
const PASSAGES = 150;

export function PieceText({ text }: { text: string }) {
  const [shown, setShown] = useState(STRETCH);
  const end = stretchEnd(text, shown);
  const paragraphs = text.slice(0, end).split(/\n{2,}/);
  return (
    <>
      <div className="prose" data-testid="piece-text">
        {paragraphs.map((paragraph, i) => <p key={i}>{paragraph}</p>)}
      </div>
      {end < text.length && <button type="button" className="button mt-6" onClick={() => setShown(end + STRETCH)}>Read on</button>}
    </>
  );
}

const FORM_WORDS = { continue: "asked for by what comes before it", keywords: "asked for by some of its words" } as const;

export function PieceCut({ document }: { document: StoredDocument }) {
  const [cuts, setCuts] = useState<readonly Cut[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [shown, setShown] = useState(PASSAGES);
  const { handId, id, text } = document;
  useEffect(() => {
    let gone = false;
    cutsOf(handId, id).then((found) => { if (!gone) setCuts(found); }, (fault: unknown) => { if (!gone) setError(fault); });
    return () => { gone = true; };
  }, [handId, id, text]);
  if (error !== null) return <ErrorNote error={error} />;
  if (cuts === null) return <p className="quiet" role="status">Cutting…</p>;
  const first = cuts[0]?.start ?? text.length;
  return (
    <div className="passages" data-testid="piece-cut">
      <p className="quiet small">So it is cut for the first time through; each time through it is cut elsewhere.</p>
      {text.slice(0, first).trim() !== "" && <p className="prose">{text.slice(0, first).trim()}</p>}
      {cuts.slice(0, shown).map(({ start, words, form, part }, i) => (
        <section key={start} className="passage" data-part-of={part}>
          <p className="passage-note">{plural(words, "word")}, {part === "train" ? FORM_WORDS[form] : PART_WORDS[part]}</p>
          <p className="prose">{text.slice(start, cuts[i + 1]?.start ?? text.length).trim()}</p>
        </section>
      ))}
      {cuts.length > shown && <button type="button" className="button mt-4" onClick={() => setShown(shown + PASSAGES)}>Read on</button>}
    </div>
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
