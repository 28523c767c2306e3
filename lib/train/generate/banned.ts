/**
 * Words the embedded model has from old books and must not write of itself:
 * slurs. As transformers' NoBadWordsLogitsProcessor does, the last token of a
 * banned sequence is made impossible once the ones before it stand there. A word
 * that the person's own writing holds is theirs to use, and not banned.
 */
import type { TextTokenizer } from "../model/tokenizer";

/** In ROT13, so that nobody has to read them to read this file. */
const ROT13 = ["avttre", "avttref", "avttn", "xvxr", "xvxrf", "snttbg", "snttbgf", "jbtf", "qnexvr", "qnexvrf", "fnzob", "cvpxnavaal", "cvpxnavaavrf"];
const WORDS = ROT13.map((word) => word.replace(/[a-z]/g, (c) => String.fromCharCode(((c.charCodeAt(0) - 97 + 13) % 26) + 97)));

/** Token sequences of the banned words, as they stand in a text: with and without a space before, in three cases. */
export function bannedSequences(tokenizer: TextTokenizer, ownTexts: readonly string[] = []): number[][] {
  const own = ownTexts.join("\n").toLowerCase();
  const sequences = WORDS.filter((word) => !own.includes(word)).flatMap((word) => {
    const forms = [word, word.charAt(0).toUpperCase() + word.slice(1), word.toUpperCase()];
    return forms.flatMap((form) => [form, ` ${form}`]).map((form) => tokenizer.encode(form));
  });
  return [...new Map(sequences.map((s) => [s.join(), s])).values()];
}

/** Makes the token that would complete a banned sequence impossible: logits [vocab] in place. */
export function forbid(logits: Float32Array, written: readonly number[], banned: readonly (readonly number[])[]): void {
  for (const sequence of banned) {
    const before = sequence.length - 1;
    if (before > written.length) continue;
    let matches = true;
    for (let i = 0; i < before && matches; i++) matches = written[written.length - before + i] === sequence[i];
    if (matches) logits[sequence[before]!] = -Infinity;
  }
}
