/**
 * Where the messages of a mailbox are (mbox, RFC 4155): each begins with a line
 * "From sender date" after a blank line, and is followed by its head. Lines of
 * the text that begin so are quoted by ">" (mboxo), quoted ones too (mboxrd).
 * Offsets are given, nothing is copied.
 */

export interface Message {
  /** After the "From " line. */
  from: number;
  /** Exclusive. */
  to: number;
}

const LF = 0x0a, CR = 0x0d;
const FROM = [0x46, 0x72, 0x6f, 0x6d, 0x20];
/** Longer lines begin no message. */
const MAX_LINE = 1000;

export function* messagesOf(bytes: Uint8Array): Generator<Message> {
  let open = -1; // where the message begins that has not ended yet
  for (let at = startOf(bytes); at >= 0; at = nextFrom(bytes, at)) {
    const text = beginsMessage(bytes, at);
    if (text < 0) continue;
    if (open >= 0) yield { from: open, to: at };
    open = text;
  }
  if (open >= 0) yield { from: open, to: bytes.length };
}

function startOf(bytes: Uint8Array): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (bytes[at] === LF || bytes[at] === CR) at++;
  return FROM.every((byte, i) => bytes[at + i] === byte) ? at : nextFrom(bytes, at);
}

/** The next line that begins with "From " and follows a blank line; −1 where there is none. */
function nextFrom(bytes: Uint8Array, after: number): number {
  for (let at = bytes.indexOf(LF, after); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1] === CR ? at + 2 : at + 1;
    if (bytes[next] === LF && FROM.every((byte, i) => bytes[next + 1 + i] === byte)) return next + 1;
  }
  return -1;
}

/** @returns where the head begins after the "From " line at `at`; −1 where it is a line of text */
function beginsMessage(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(LF, at);
  if (end < 0 || end - at > MAX_LINE) return -1;
  const line = new TextDecoder("latin1").decode(bytes.subarray(at, end));
  const head = new TextDecoder("latin1").decode(bytes.subarray(end + 1, end + 120));
  return /^From \S.*\d{1,2}:\d{2}/.test(line) && /^(?:>From |[!-9;-~]{1,76}:)/.test(head) ? end + 1 : -1;
}

/** A message with its quoted "From " lines as they were written; the same bytes where there are none. */
export function unquoted(message: Uint8Array): Uint8Array {
  const quotes: number[] = []; // places of the ">" that go
  for (let at = message.indexOf(LF); at >= 0; at = message.indexOf(LF, at + 1)) {
    if (message[at + 1] !== 0x3e) continue;
    let text = at + 1;
    while (message[text] === 0x3e) text++;
    if (FROM.every((byte, i) => message[text + i] === byte)) quotes.push(at + 1);
  }
  if (quotes.length === 0) return message;
  const out = new Uint8Array(message.length - quotes.length);
  let size = 0, from = 0;
  for (const quote of [...quotes, message.length]) {
    out.set(message.subarray(from, quote), size);
    size += quote - from;
    from = quote + 1;
  }
  return out;
}
