/**
 * JSON from a stranger: a few megabytes of brackets make a parser take seconds
 * and gigabytes, so that depth and number of the values are counted first. No
 * schema; who reads the values walks them without recursion.
 */

/** Deeper than any program writes. */
const MAX_DEPTH = 2_000;
/** Lists, objects and their members. */
const MAX_VALUES = 6_000_000;

/** "broken": it is not JSON; "too-intricate": it has more values, or deeper ones, than are read. */
export type ParsedJson = { value: unknown } | "broken" | "too-intricate";

export function parseJson(text: string): ParsedJson {
  if (isTooIntricate(text)) return "too-intricate";
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return "broken";
  }
}

const QUOTE = 34, BACKSLASH = 92, COMMA = 44, OPEN_LIST = 91, CLOSE_LIST = 93, OPEN_OBJECT = 123, CLOSE_OBJECT = 125;

function isTooIntricate(text: string): boolean {
  let depth = 0, values = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        values++;
        if (++depth > MAX_DEPTH) return true;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        values++;
    }
    if (values > MAX_VALUES) return true;
  }
  return false;
}

/** Where the string that opens at `from` closes; the text's end where it does not. */
function endOfString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i;
  }
  return text.length;
}
