"use client";
/** What speaks for and against a piece, what was taken off it, and the person's word on both. */
import type { StoredDocument } from "../../lib/store/types";
import { leaveOut, putBackAsRead, takeIn } from "../_state/pieces";
import { takenOffWords } from "./remarks";
import { languageWords } from "../../lib/data/hygiene/language";

interface Props {
  document: StoredDocument;
  /** A piece's name; undefined where it is gone. */
  nameOf: (id: string) => string | undefined;
  onOpen: (id: string) => void;
  /** Does it, and says so where it fails. */
  attempt: (work: () => Promise<void>) => void;
}

export function PieceNotes({ document, nameOf, onOpen, attempt }: Props) {
  const { id, handId, look, excluded, original, edited, kept } = document;
  const twin = look?.repeats === undefined ? undefined : nameOf(look.repeats.earlierId);
  const sentences = (look?.warnings ?? []).map(({ sentence }) => sentence).filter((sentence) => sentence !== excluded?.reason);
  const main = look?.languages[0];
  if (main !== undefined && main.language === "en" && main.share < 0.9) sentences.push(`Its language: ${languageWords(look?.languages ?? [])}.`);
  const likeness = look?.repeats !== undefined && twin !== undefined && look.repeats.sentence !== excluded?.reason ? look.repeats : null;
  return (
    <div className="piece-notes">
      {excluded !== undefined && (
        <p className="removed" role="status" data-testid="left-out">
          {excluded.by === "person" ? "You left this piece out." : <>Left out, as suggested: {excluded.reason}</>} It is neither learned from nor checked with.{" "}
          <button type="button" className="link" data-testid="use-piece" onClick={() => attempt(() => takeIn(handId, [id]))}>{excluded.by === "person" ? "Use it again" : "Use it all the same"}</button>
        </p>
      )}
      {excluded === undefined && kept === true && look?.suggests !== undefined && <p className="quiet small">Suggested to leave out: {look.suggests} You use it all the same.</p>}
      {sentences.map((sentence) => <p key={sentence} className="quiet small">{sentence}</p>)}
      {likeness !== null && <p className="quiet small">{likeness.sentence} <button type="button" className="link" onClick={() => onOpen(likeness.earlierId)}>See that one</button></p>}
      {excluded?.by === "inspection" && look?.repeats !== undefined && twin !== undefined && <p className="quiet small"><button type="button" className="link" onClick={() => onOpen(look.repeats?.earlierId ?? id)}>See “{twin}”</button></p>}
      {original !== undefined && edited !== true && look !== undefined && look.removed.length > 0 && (
        <details className="folded" data-testid="taken-off">
          <summary className="small">Taken off, as not yours: {[...new Set(look.removed.map(({ what }) => takenOffWords(what)))].join(", ")}</summary>
          {look.removed.map(({ what, start, end }) => (
            <div key={start} className="taken-off">
              <p className="passage-note">{takenOffWords(what)}</p>
              <p className="prose">{original.slice(start, end)}</p>
            </div>
          ))}
          <p><button type="button" className="link small" data-testid="put-back" onClick={() => attempt(() => putBackAsRead(document, true))}>Put it back: it is mine</button></p>
        </details>
      )}
      {original !== undefined && edited === true && <p className="quiet small">You edited it. <button type="button" className="link" onClick={() => attempt(() => putBackAsRead(document, false))}>Take it back to how it was read</button></p>}
      {excluded === undefined && <button type="button" className="link quiet small" data-testid="leave-out" onClick={() => attempt(() => leaveOut(handId, [id]))}>Leave this piece out</button>}
    </div>
  );
}
