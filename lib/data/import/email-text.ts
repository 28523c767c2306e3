/**
 * What one mail says in its sender's own words: the text that was written rather
 * than its HTML, without quoted mail, signatures and attachments. MIME (RFC
 * 2045–2049), encoded words, transfer encodings, character sets and format=flowed
 * (RFC 3676) are postal-mime's; here it is given no more than it can take. Which
 * mails of a mailbox are read is email.ts's.
 */
import PostalMime, { type Email } from "postal-mime";
import { decodeBytes } from "../encoding";
import { withoutBoilerplate } from "../hygiene/boilerplate";
import { htmlToText } from "./html-text";
import type { Extract } from "./types";

/** Of one mail with its attachments. */
const MAX_BYTES = 64 * 1024 * 1024;
/** postal-mime takes a line at a time, and makes a part at each boundary. */
const MAX_LINES = 1_500_000;
const MAX_BOUNDARIES = 5000;
const MAX_NESTING = 30;
const MAX_HEADER_BYTES = 256 * 1024;
/** Of the HTML of a mail; newsletters have a tenth. */
const MAX_HTML_CHARS = 4 * 1024 * 1024;
/** With a larger share of characters that their encoding does not know, the text would be read wrongly. */
const MAX_BAD_SHARE = 0.002;

export type MailFault = "damaged" | "encrypted" | "letters" | "empty";

export interface Mail {
  extract: Extract;
  attachments: number;
  /** Quoted mail, signatures and the like were taken off. */
  cut: boolean;
}

const LF = 0x0a, CR = 0x0d, SPACE = 0x20, QUOTE = 0x3e;

/** The head of a mail, with its blank line: what stands before the text. */
export function headOf(mail: Uint8Array): Uint8Array {
  for (let at = mail.indexOf(LF); at >= 0; at = mail.indexOf(LF, at + 1)) {
    const next = mail[at + 1] === CR ? at + 2 : at + 1;
    if (mail[next] === LF) return mail.subarray(0, next + 1);
    if (at > MAX_HEADER_BYTES) break;
  }
  return mail.subarray(0, MAX_HEADER_BYTES);
}

/** @throws whatever postal-mime throws */
export async function parseHead(mail: Uint8Array): Promise<Email> {
  return PostalMime.parse(headOf(mail).slice(), { maxHeadersSize: 2 * MAX_HEADER_BYTES });
}

/** @returns the mail's own words, or why it has none */
export async function readMail(mail: Uint8Array): Promise<Mail | MailFault> {
  if (mail.length > MAX_BYTES || isTooMuch(mail)) return "damaged";
  let email: Email;
  try {
    email = await PostalMime.parse(withPlainQuotes(inUtf8(mail)), { maxNestingDepth: MAX_NESTING, maxHeadersSize: MAX_HEADER_BYTES, maxRfc822NestingDepth: 0 });
  } catch {
    return "damaged";
  }
  const isEncrypted = email.attachments.some(({ mimeType }) => /^application\/(?:pgp-encrypted|(?:x-)?pkcs7-mime)$/.test(mimeType));
  const text = ownText(email.text ?? "");
  if (isStillPacked(text)) return "damaged";
  const fromHtml = text.trim() === "" && email.html !== undefined && email.html.length <= MAX_HTML_CHARS;
  // before lines are joined to paragraphs, which the marks of quoting would be lost in
  const { text: words, removed } = withoutBoilerplate(fromHtml ? htmlToText(email.html as string) : text, "mail");
  if (isEncrypted || text.includes("-----BEGIN PGP MESSAGE-----")) return "encrypted";
  if (!/[\p{L}\p{N}]/u.test(words)) return "empty";
  if ((words.match(/\ufffd/g)?.length ?? 0) > MAX_BAD_SHARE * words.length) return "letters";
  const extract: Extract = { name: subjectOf(email), text: words.replaceAll("\ufffd", ""), form: fromHtml ? "paragraphs" : "plain" };
  return { extract, cut: removed.length > 0, attachments: email.attachments.filter(({ disposition, related, mimeType }) => related !== true && disposition !== null && !mimeType.startsWith("application/pgp")).length };
}

function subjectOf({ subject }: Email): string | null {
  const tidy = (subject ?? "").replace(/\s+/g, " ").trim();
  return tidy === "" ? null : tidy;
}

function isTooMuch(mail: Uint8Array): boolean {
  let lines = 0, boundaries = 0;
  for (let at = mail.indexOf(LF); at >= 0; at = mail.indexOf(LF, at + 1)) {
    lines++;
    if (mail[at + 1] === 0x2d && mail[at + 2] === 0x2d) boundaries++;
  }
  return lines > MAX_LINES || boundaries > MAX_BOUNDARIES;
}

/** Old mail may have letters beyond ASCII and not say which; it is read as a text file is. */
function inUtf8(mail: Uint8Array): Uint8Array {
  if (!mail.some((byte) => byte >= 0x80) || /charset/i.test(new TextDecoder("latin1").decode(mail))) return mail;
  try {
    return new TextEncoder().encode(decodeBytes(mail, "").text);
  } catch {
    return mail; // its letters will show that they were read wrongly
  }
}

/**
 * A copy in which quoted lines, and lines before them, end without spaces: in
 * format=flowed a space joins lines, and RFC 3676 (4.5) joins none of different
 * depths of quoting, which postal-mime does.
 */
function withPlainQuotes(mail: Uint8Array): Uint8Array {
  const out = new Uint8Array(mail.length);
  let size = 0;
  for (let at = 0; at < mail.length; ) {
    const end = mail.indexOf(LF, at);
    const next = end < 0 ? mail.length : end + 1;
    const line = mail.subarray(at, next);
    if (line[0] === QUOTE && out[size - 1] === LF) size = withoutSpaces(out, size);
    out.set(line, size);
    size += line.length;
    if (line[0] === QUOTE && end >= 0) size = withoutSpaces(out, size);
    at = next;
  }
  return out.subarray(0, size);
}

/** @returns the size without the spaces that stand before the line end with which `out` ends; "=20" is one, in quoted-printable */
function withoutSpaces(out: Uint8Array, size: number): number {
  let text = size - 1;
  if (out[text - 1] === CR) text--;
  const lineEnd = out.slice(text, size);
  for (;;) {
    if (out[text - 1] === SPACE) text--;
    else if (out[text - 3] === 0x3d && out[text - 2] === 0x32 && out[text - 1] === 0x30) text -= 3;
    else break;
  }
  out.set(lineEnd, text);
  return text + lineEnd.length;
}

/** Letters that say bytes, where the field that says so was lost: quoted-printable, base64. */
function isStillPacked(text: string): boolean {
  const packed = text.match(/=(?:[0-9A-F]{2}|\r?\n)/g)?.length ?? 0;
  const solid = (text.match(/^[A-Za-z0-9+/]{60,}={0,2}\r?$/gm) ?? []).reduce((sum, line) => sum + line.length, 0);
  return (packed >= 5 && packed > 0.005 * text.length) || (solid > 100 && solid > 0.2 * text.length);
}

/** Without what mail programs put around and into text: PGP's signature, files as text; up to where parts begin that a broken boundary left in it. */
function ownText(text: string): string {
  let own = text.replace(/\r\n?/g, "\n");
  const parts = /^(?:--\S.*\n)?Content-(?:Type|Transfer-Encoding|Disposition): \S/m.exec(own);
  if (parts !== null) own = own.slice(0, parts.index);
  const signed = /^-----BEGIN PGP SIGNED MESSAGE-----\n(?:\w+:.*\n)*\n/m.exec(own);
  if (signed !== null) {
    const end = own.indexOf("\n-----BEGIN PGP SIGNATURE-----", signed.index);
    own = own.slice(signed.index + signed[0].length, end < 0 ? undefined : end).replace(/^- -/gm, "-");
  }
  return own.replace(/^begin(?:-base64)? [0-7]{3} .*\n(?:[ -`]{1,80}\n)+end$/gm, "");
}
