/** What there is to say of a piece, in few words, for lists; the sentences are those of lib/data/hygiene. */
import { languageWords } from "../../lib/data/hygiene/language";
import { BOILERPLATE_WORDS } from "../../lib/data/hygiene/marked-lines";
import type { WarningKind } from "../../lib/data/hygiene/warnings";
import type { DocumentLook, StoredDocument } from "../../lib/store/types";

const WARNINGS: Record<Exclude<WarningKind, "language">, string> = {
  empty: "no words", short: "very short", addresses: "mostly addresses", numbers: "mostly numbers", log: "a program’s log", table: "a table", code: "program code",
  quotation: "mostly quotation", letters: "letters of others in it", capitals: "all in capitals", damaged: "damaged letters",
};

const LIKENESS: Record<string, string> = { same: "the same as", near: "near-copy of", contained: "stands in", contains: "holds", shares: "shares much with" };

/** Longest first in weight; none for a piece of which nothing is to be said. @param nameOf a piece's name; undefined where it is gone */
export function remarksOf({ look, edited }: StoredDocument, nameOf: (id: string) => string | undefined): string[] {
  const remarks: string[] = [];
  if (look !== undefined) {
    const twin = look.repeats === undefined ? undefined : nameOf(look.repeats.earlierId);
    if (look.repeats !== undefined && twin !== undefined) remarks.push(`${LIKENESS[look.repeats.kind] ?? "like"} “${twin}”`);
    for (const { kind } of look.warnings) if (isKnown(kind)) remarks.push(WARNINGS[kind]);
    if (isForeign(look)) remarks.push(languageWords(look.languages));
    for (const what of new Set(look.removed.map((removal) => removal.what))) remarks.push(`${takenOffWords(what)} taken off`);
  }
  if (edited === true) remarks.push("edited by you");
  return remarks;
}

export const takenOffWords = (what: string): string => (what in BOILERPLATE_WORDS ? BOILERPLATE_WORDS[what as keyof typeof BOILERPLATE_WORDS] : "something");

const isKnown = (kind: string): kind is keyof typeof WARNINGS => kind in WARNINGS;
const isForeign = ({ languages }: DocumentLook): boolean => languages[0] !== undefined && (languages[0].language !== "en" || languages[0].share < 0.9);
