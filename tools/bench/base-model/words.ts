/** Words as the measures compare them: found by lib/data's rule, in lower case, one kind of apostrophe. */
import { wordSpans } from "../../../lib/data/words";

export function* wordsOf(text: string): Generator<string> {
  for (const { start, end } of wordSpans(text)) yield text.slice(start, end).toLowerCase().replace(/’/g, "'");
}
