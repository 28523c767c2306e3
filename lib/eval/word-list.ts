/** The words of a text as measures of variety compare them: found by lib/data's rule, in lower case, one kind of apostrophe. */
import { wordSpans } from "../data/words";

export const wordList = (text: string): string[] => Array.from(wordSpans(text), ({ start, end }) => text.slice(start, end).toLowerCase().replace(/’/g, "'"));
