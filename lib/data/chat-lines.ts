/**
 * Recognises a conversation saved as text: WhatsApp, Telegram and Signal
 * exports, IRC logs, and plain "name: text" lines. It only recognises them, so
 * that somebody else's lines are never learned as the writer's prose; a reader
 * of chats is another importer.
 */
const TIME = String.raw`\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[  ]?[ap]\.?m\.?)?`;
const DATE = String.raw`(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2} \p{L}{3,9}\.? \d{2,4}|\p{L}{3,9} \d{1,2},? \d{2,4})`;
const NAME = String.raw`[~@+]?[\p{L}\p{N}\p{Extended_Pictographic}(][^:<>\n]{0,39}`;
const STAMP = String.raw`[\[(]?(?:${DATE}[,T]?[  ]+)?${TIME}[\])]?`;

/** A time, then who: "[12/03/2024, 21:04:11] Ann: hello", "12/03/24, 9:04 pm - Ann: hello", "[12:03] <ann> hello". */
const STAMPED = new RegExp(String.raw`^[‎‏\s]*${STAMP}[  ]*(?:[-–][  ]*)?(?:<[^<>\n]{1,40}>|${NAME}:)(?:\s|$)`, "iu");
/** IRC's notices: "12:03 * ann waves", "[12:03] *** bob has joined", "12:03 -!- bob has left". */
const NOTICE = new RegExp(String.raw`^\s*${STAMP}\s*(?:\*+|-!-|===|-->|<--)\s`, "iu");
const ANGLED = /^\s*<[^<>\s/][^<>\n]{0,39}> \S/u;
const SPEAKER = /^\s*([\p{L}\p{N}_][\p{L}\p{N}_ .'’-]{0,24}?)(?: \([^)]{1,20}\))?: \S/u;
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

  const names = new Map<string, number>();
  let spoken = 0;
  for (const line of lines) {
    const name = SPEAKER.exec(line)?.[1]?.toLowerCase();
    if (name === undefined || NOT_NAMES.test(name)) continue;
    spoken++;
    names.set(name, (names.get(name) ?? 0) + 1);
  }
  const regulars = [...names.values()].filter((n) => n >= 2);
  const byRegulars = regulars.reduce((a, b) => a + b, 0);
  return spoken >= MIN_LINES && spoken / lines.length >= 0.6 && regulars.length >= 2 && byRegulars / spoken >= 0.6;
}
