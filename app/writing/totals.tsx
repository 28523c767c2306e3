"use client";
/** The writing as a whole: its languages, how much is left out and by whom. Silent where there is nothing to say. */
import { addShares, languageNotice, languageWords } from "../../lib/data/hygiene/language";
import type { StoredDocument } from "../../lib/store/types";
import { plural } from "../_components/format";

export function Totals({ documents }: { documents: readonly StoredDocument[] }) {
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
  if (sentences.length === 0 && notice === null) return null;
  return (
    <div className="totals" data-testid="totals">
      {sentences.length > 0 && <p className="quiet">{sentences.join(" ")}</p>}
      {notice !== null && <p>{notice}</p>}
    </div>
  );
}
