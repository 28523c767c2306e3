/**
 * Recognises a conversation saved as text: WhatsApp, Telegram and Signal
 * exports, IRC logs, and plain "name: text" lines. It only recognises them, so
 * that somebody else's lines are never learned as the writer's prose; a reader
 * of chats is another importer.
 */
const TIME = String.raw`\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[  ]?[ap]\.?m\.?|Z|[+-]\d{2}:?\d{2})?`;
const DATE = String.raw`(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2} \p{L}{3,9}\.? \d{2,4}|\p{L}{3,9} \d{1,2},? \d{2,4})`;
const NAME = String.raw`[~@+]?[\p{L}\p{N}\p{Extended_Pictographic}(][^:<>\n]{0,39}`;
const STAMP = String.raw`[\[(]?(?:${DATE}(?:T|,?[  ]+))?${TIME}[\])]?`;

/** A time, then who: "[12/03/2024, 21:04:11] Ann: hello", "12/03/24, 9:04 pm - Ann: hello", "[12:03] <ann> hello". */
const STAMPED = new RegExp(String.raw`^[‎‏\s]*${STAMP}[  ]*(?:[-–][  ]*)?(?:<[^<>\n]{1,40}>|${NAME}:)(?:\s|$)`, "iu");
/** IRC's notices: "12:03 * ann waves", "[12:03] *** bob has joined", "12:03 -!- bob has left". */
const NOTICE = new RegExp(String.raw`^\s*${STAMP}\s*(?:\*+|-!-|===|-->|<--)\s`, "iu");
const ANGLED = /^\s*<[^<>\s/][^<>\n]{0,39}> \S/u;
const SPEAKER = /^\s*[*_]{0,2}([\p{L}\p{N}_][\p{L}\p{N}_ .'’-]{0,24}?)(?: \([^)]{1,20}\))?[*_]{0,2}:[*_]{0,2} \S/u;
/** Who and when on a line of their own, above the message: "Ann, [12.03.2024 21:04]", "Ann — Today at 9:04 PM", "[12-Mar-24 09:04 PM] Ann", "ChatGPT said:". */
const WHEN = String.raw`(?:(?:today|yesterday)(?: at)? |(?:${DATE}|\d{1,2}-\p{L}{3}-\d{2,4})[,T]?(?: at)? )?${TIME}`;
const HEADERS = [
  new RegExp(String.raw`^\s*\[?([\p{L}_][\p{L}\p{N}_ .'’-]{0,30}?)\]?(?:,| [-–—]| )? {1,2}[\[(]?${WHEN}[\])]?:?$`, "iu"),
  new RegExp(String.raw`^\s*\[${WHEN}\] ([\p{L}_][\p{L}\p{N}_ .'’-]{0,30})$`, "iu"),
  /^\s*(you|chatgpt|claude|gemini|copilot) said:$/iu,
];
/** Labels a diary or notes may set before a colon; none of them speaks. */
const NOT_NAMES = /^(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*|note|todo|ps|nb|today|yesterday|tomorrow|morning|afternoon|evening|night|weather|\d+)\b/i;
const MIN_LINES = 5;
/** Who speaks, and when, stands within the first of a line's characters. */
const MAX_LINE_CHARS = 300;

/** Whether most of a text's lines are messages of a conversation. */
export function looksLikeChat(text: string): boolean {
  const lines = text.slice(0, 400_000).split("\n").filter((line) => line.trim() !== "").map((line) => line.slice(0, MAX_LINE_CHARS));
  if (lines.length < MIN_LINES) return false;
  const share = (test: (line: string) => boolean): number => {
    const hits = lines.filter(test).length;
    return hits < MIN_LINES ? 0 : hits / lines.length;
  };
  // A stamp with a name is unmistakable; long messages run over several lines.
  if (share((line) => STAMPED.test(line) || NOTICE.test(line)) >= 0.3) return true;
  if (share((line) => ANGLED.test(line)) >= 0.5) return true;

  return isTalk(lines, [SPEAKER], 0.6) || isTalk(lines, HEADERS, 0.3);
}

/** Whether at least `share` of the lines begin with a name by one of the patterns, and most of the names come again. */
function isTalk(lines: readonly string[], patterns: readonly RegExp[], share: number): boolean {
  const names = new Map<string, number>();
  let spoken = 0;
  for (const line of lines) {
    let name: string | undefined;
    for (const pattern of patterns) name ??= pattern.exec(line)?.[1]?.toLowerCase();
    if (name === undefined || NOT_NAMES.test(name)) continue;
    spoken++;
    names.set(name, (names.get(name) ?? 0) + 1);
  }
  const regulars = [...names.values()].filter((n) => n >= 2);
  const byRegulars = regulars.reduce((a, b) => a + b, 0);
  return spoken >= MIN_LINES && spoken / lines.length >= share && regulars.length >= 2 && byRegulars / spoken >= 0.6;
}
