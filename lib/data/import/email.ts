/**
 * Saved mail: a single message (RFC 5322) and mailboxes (mbox, RFC 4155, with
 * its quoting as mboxo and mboxrd have it), for the words of one person.
 * Newsletters, lists' digests and what machines wrote are left out. Whose the
 * mails of a mailbox are, it does not say: where most are from one sender, the
 * others' are left out; else all stay, with a note. A mail's text is
 * email-text.ts's.
 */
import type { Email } from "postal-mime";
import { DuctusError } from "../../core/errors";
import { headOf, parseHead, readMail, type MailFault } from "./email-text";
import { damagedFile, emptyFile, encryptedFile } from "./faults";
import { messagesOf, unquoted, type Message } from "./mbox";
import { createPause } from "./pause";
import type { Extract, Reader, Reading } from "./types";

type Reason = MailFault | "machine" | "newsletter" | "digest" | "other";

/** How many mails, and what they are. */
const REASONS: Record<Reason, [one: string, several: string]> = {
  other: ["One mail from someone else was left out.", "mails from other people were left out: most are from one sender."],
  newsletter: ["One newsletter was left out.", "newsletters were left out."],
  digest: ["One digest of a mailing list was left out: several people wrote it.", "digests of mailing lists were left out: several people wrote them."],
  machine: ["One mail that a program wrote was left out.", "mails that programs wrote were left out."],
  damaged: ["One damaged mail was left out.", "damaged mails were left out."],
  encrypted: ["One encrypted mail was left out.", "encrypted mails were left out."],
  letters: ["One mail was left out: its letters are stored in an unknown way.", "mails were left out: their letters are stored in an unknown way."],
  empty: ["One mail without words of its own was left out.", "mails without words of their own were left out."],
};

const MAX_MAILS = 500_000;
/** The share of a mailbox's mails from which on it is one person's. */
const MOST = 0.5;

/** @throws DuctusError `file/damaged`, `file/encrypted`, `file/empty` */
export const readEmail: Reader = async (bytes, { name, signal }): Promise<Reading> => {
  const mail = trimmed(bytes);
  const head = await headFields(mail);
  signal.throwIfAborted();
  if (head === null || head.headers.length === 0) throw damagedFile(name, "it does not begin as a mail does");
  const reason = reasonToLeaveOut(head);
  if (reason !== null) return { extracts: [], leftOut: [{ name, reason: sentence(reason, 1) }] };
  const read = await readMail(mail);
  if (read === "empty") throw emptyFile(name);
  if (read === "encrypted") throw encryptedFile(name);
  if (read === "letters") throw damagedFile(name, "some of its letters are not letters of the alphabet that it names");
  if (read === "damaged") throw damagedFile(name, "its parts cannot be told apart");
  return { extracts: [read.extract], leftOut: cutAndAttached(name, Number(read.cut), read.attachments) };
};

/** @throws DuctusError `file/damaged`, `file/empty`, `file/too-large`; the signal's reason */
export const readMbox: Reader = async (bytes, { name, signal }): Promise<Reading> => {
  const pause = createPause(signal);
  const left = new Map<Reason, number>();
  const leave = (reason: Reason) => left.set(reason, (left.get(reason) ?? 0) + 1);
  const candidates: { message: Message; sender: string }[] = [];
  const names = new Map<string, string>(); // addresses by the name that their sender has elsewhere
  let messages = 0;
  for (const message of messagesOf(bytes)) {
    await pause();
    if (++messages > MAX_MAILS) throw new DuctusError("file/too-large", `“${name}” has more than ${MAX_MAILS.toLocaleString("en")} mails.`, "Export a part of them, such as the sent ones, and drop that in.");
    const head = await headFields(bytes.subarray(message.from, message.to));
    const reason = head === null ? "damaged" : reasonToLeaveOut(head);
    if (head === null || reason !== null) leave(reason ?? "damaged");
    else candidates.push({ message, sender: senderOf(head, names) });
  }
  if (messages === 0) throw damagedFile(name, "no mails can be told apart in it");
  const writer = mostFrequent(candidates.map(({ sender }) => sender));
  const extracts: Extract[] = [];
  let attachments = 0, cut = 0;
  for (const { message, sender } of candidates) {
    await pause();
    if (writer !== null && sender !== writer) {
      leave("other");
      continue;
    }
    const read = await readMail(unquoted(bytes.subarray(message.from, message.to)));
    if (typeof read === "string") leave(read);
    else {
      extracts.push({ ...read.extract, name: read.extract.name ?? `Mail ${extracts.length + 1}` });
      attachments += read.attachments;
      if (read.cut) cut++;
    }
  }
  const leftOut = [...left].map(([reason, count]) => ({ name, reason: sentence(reason, count) }));
  leftOut.push(...cutAndAttached(name, cut, attachments));
  if (writer === null && new Set(candidates.map(({ sender }) => sender)).size > 1) {
    leftOut.push({ name, reason: "Its mails are from several senders, and none of them wrote most of them: all were taken. Take out those that are not your own." });
  }
  return { extracts, leftOut };
};

/** Without blank lines, and the line with which a mail begins in a mailbox. */
function trimmed(bytes: Uint8Array): Uint8Array {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x20) at++;
  const head = new TextDecoder("latin1").decode(bytes.subarray(at, at + 5));
  const end = head === "From " ? bytes.indexOf(0x0a, at) : -1;
  return bytes.subarray(end < 0 ? at : end + 1);
}

async function headFields(mail: Uint8Array): Promise<Email | null> {
  try {
    return await parseHead(headOf(mail));
  } catch {
    return null;
  }
}

const NO_REPLY = /^(?:no|do[-_.]?not)[-_.]?reply|^(?:mailer-daemon|postmaster|bounces?|notifications?|alerts?|newsletters?|auto-?(?:reply|confirm|mailer))(?:[-+.@]|$)/i;

/** What a mail's head says of who wrote it; null where it may be a person. */
function reasonToLeaveOut({ headers, from, subject }: Email): Reason | null {
  const value = (key: string): string | undefined => headers.find((header) => header.key === key)?.value.trim().toLowerCase();
  const address = from?.address ?? "";
  if (/^multipart\/digest\b/.test(value("content-type") ?? "") || /\bdigest,? vol(?:ume)?\.? \d+/i.test(subject ?? "")) return "digest";
  if ((value("auto-submitted") ?? "no") !== "no" || value("x-autoreply") !== undefined || NO_REPLY.test(address)) return "machine";
  if (/^(?:multipart\/report|text\/calendar)\b/.test(value("content-type") ?? "")) return "machine";
  // People write to lists too, which add a way to leave them; such lists say where to write to.
  const isList = /^<mailto:/.test(value("list-post") ?? "");
  if (isList) return null;
  return value("list-unsubscribe") !== undefined || /^(?:bulk|junk)$/.test(value("precedence") ?? "") || value("feedback-id") !== undefined ? "newsletter" : null;
}

/** The address, or the first address that came with the same name: people have several. */
function senderOf({ from }: Email, names: Map<string, string>): string {
  const address = (from?.address ?? "").toLowerCase();
  const name = (from?.name ?? "").toLowerCase().replace(/[^\p{L}\s]/gu, "").replace(/\s+/g, " ").trim();
  if (!name.includes(" ")) return address;
  const known = names.get(name);
  if (known === undefined) names.set(name, address);
  return known ?? address;
}

/** The sender of most mails; null where there is none. */
function mostFrequent(senders: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const sender of senders) counts.set(sender, (counts.get(sender) ?? 0) + 1);
  for (const [sender, count] of counts) if (sender !== "" && count > MOST * senders.length) return sender;
  return null;
}

function sentence(reason: Reason, count: number): string {
  const [one, several] = REASONS[reason];
  return count === 1 ? one : `${count.toLocaleString("en")} ${several}`;
}

function cutAndAttached(name: string, cut: number, attachments: number): Reading["leftOut"] {
  const leftOut: Reading["leftOut"] = [];
  if (cut > 0) leftOut.push({ name, reason: `Quoted mail and signatures were taken off ${cut === 1 ? "one mail" : `${cut.toLocaleString("en")} mails`}.` });
  if (attachments > 0) leftOut.push({ name, reason: attachments === 1 ? "One attachment was left out." : `${attachments.toLocaleString("en")} attachments were left out.` });
  return leftOut;
}
