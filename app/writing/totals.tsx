"use client";
/** The writing as a whole: its languages, how much is left out and by whom. Silent where there is nothing to say. */
import { useState } from "react";
import { addShares, languageNotice, languageWords } from "../../lib/data/hygiene/language";
import type { Hand, StoredDocument } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { plural } from "../_components/format";
import { lookOver } from "../_engine/importer";
import { intake } from "../_state/intake";
import { useStore } from "../_state/use-store";

export function Totals({ hand, documents }: { hand: Hand; documents: readonly StoredDocument[] }) {
  const importing = useStore(intake, (i) => i.busy);
  const [looking, setLooking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const out = documents.filter(({ excluded }) => excluded !== undefined);
  const used = documents.filter(({ excluded }) => excluded === undefined);
  const languages = addShares(used.flatMap(({ look, words }) => (look?.languages ?? []).map(({ language, share }) => ({ language, share: share * words }))));
  const suggested = out.filter(({ excluded }) => excluded?.by === "inspection").length;
  const sentences: string[] = [];
  if (languages.length > 0) sentences.push(`Language: ${languageWords(languages)}.`);
  if (out.length > 0) {
    const words = out.reduce((sum, d) => sum + d.words, 0);
    const by = suggested === 0 ? "by you" : suggested === out.length ? "as suggested; you can use them all the same" : `${suggested} as suggested, ${out.length - suggested} by you`;
    sentences.push(`${plural(out.length, "piece")}, ${plural(words, "word")}, ${out.length === 1 ? "is" : "are"} left out, ${suggested === 1 && out.length === 1 ? "as suggested; you can use it all the same" : by}.`);
  }
  const notice = languageNotice(languages);
  /** Read by an earlier version, or stopped before they were. */
  const unlooked = hand.source === "own" && !importing && documents.some(({ look }) => look === undefined);
  if (sentences.length === 0 && notice === null && !unlooked) return null;
  const look = async (): Promise<void> => {
    setLooking(true);
    setError(null);
    await lookOver(hand.id).catch(setError);
    setLooking(false);
  };
  return (
    <div className="totals" data-testid="totals">
      {sentences.length > 0 && <p className="quiet">{sentences.join(" ")}</p>}
      {notice !== null && <p>{notice}</p>}
      {unlooked && <p className="quiet">Not all of it has been looked over for copies, other languages and what is not yours. <button type="button" className="link" disabled={looking} onClick={() => void look()}>{looking ? "Looking…" : "Look it over"}</button></p>}
      {error !== null && <ErrorNote error={error} />}
    </div>
  );
}
