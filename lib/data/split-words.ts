/**
 * What the page says of a split: how the writing was divided and why so, in a
 * few plain sentences made from the split's own record. The dividing itself is
 * in split.ts.
 */
import { listed, plural, quoted } from "./phrases";
import { PART_NAMES, type Shares, type Split } from "./split";

/** A part may miss the share asked for by this much before it is spoken of. */
const MISS = 0.05;

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const inPercent = (shares: Shares): string => PART_NAMES.map((part) => Math.round(shares[part] * 100)).join("/");

/** The sentences, in order; none for no writing. @param nameOf a document's name, as the page shows it */
export function explainSplit({ rule }: Split, nameOf: (documentId: string) => string): string[] {
  const { shares, words, documents, blocks } = rule;
  const total = PART_NAMES.reduce((sum, part) => sum + words[part], 0);
  if (total === 0) return [];
  const named = (ids: readonly string[]): string => listed(ids.map((id) => quoted(nameOf(id))));
  const sentences: string[] = [];

  const inOrder = `the model learns from the first ${percent(shares.train)} of the words; the next ${percent(shares.validation)} are kept aside to check it while it learns, and the last ${percent(shares.test)} for the comparison at the end`;
  const heldOut = words.validation > 0 && words.test > 0;
  if (!heldOut) sentences.push("There is too little writing to keep any of it aside.");
  else if (rule.byDocument) {
    sentences.push(`The model learns from ${plural(documents.train, "piece")}, ${plural(words.train, "word")} or ${percent(words.train / total)} of the writing.`);
    const [checks, compared] = [documents.validation, documents.test].map((n, i) => `${plural(n, "piece")} (${plural(words[i === 0 ? "validation" : "test"], "word")})`) as [string, string];
    sentences.push(`${checks} ${documents.validation === 1 ? "is" : "are"} kept aside to check it while it learns, and ${compared} for the comparison at the end; it never learns from those.`);
  } else if (documents.train === 1 && blocks.length === 1) sentences.push(`This is one piece, so it is cut in order: ${inOrder}.`);
  else if (rule.tooFewDocuments || documents.train === blocks.length) sentences.push(`There are too few pieces to keep whole ones aside, so each is cut in order: ${inOrder}.`);
  else {
    const many = blocks.length > 1;
    sentences.push(`${named(blocks)} ${many ? "hold" : "holds"} much of the writing, so ${many ? "they are" : "it is"} cut in order: ${inOrder}. The other pieces stay whole.`);
  }

  const together = rule.groupsTogether.length;
  if (together > 0) {
    const which = together === 1 ? `${named(rule.groupsTogether[0] as string[])} repeat one another, so they stay` : `${plural(together, "set")} of pieces repeat one another; each set stays`;
    sentences.push(`${which} on one side: a copy of what was learned would make the check look better than it is.`);
  }
  for (const group of rule.groupsCut) sentences.push(`${named(group)} repeat one another and hold too much of the writing to be kept on one side, so the check will look better than it is. Leave all but one of them out for figures you can trust.`);

  const missed = rule.byDocument && heldOut && PART_NAMES.some((part) => Math.abs(words[part] / total - shares[part]) > MISS);
  if (missed) sentences.push(`Whole pieces come no nearer to the ${inPercent(shares)} asked for; the more pieces there are, the nearer.`);
  return sentences;
}
