/** Mail against Python's email and mailbox (tools/reference/mail.py), and what they do not decide: whose words it is. */
import { describe, expect, it } from "vitest";
import { referenceJson } from "../../train/testing/reference";
import { prose, wrap } from "../testing/prose";
import { readEmail, readMbox } from "./email";
import { unquoted } from "./mbox";
import type { ReaderContext } from "./types";

const context = (name: string): ReaderContext => ({ name, signal: new AbortController().signal, budget: { takeBytes: () => undefined, takeEntries: () => undefined } });
const latin = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const utf8 = (text: string) => new TextEncoder().encode(text);
const eml = (text: string) => readEmail(utf8(text), context("a.eml"));
const textOf = async (mail: string) => (await eml(mail)).extracts[0]?.text;
const mbox = (text: string) => readMbox(latin(text), context("a.mbox"));

const { mails, mbox: box } = referenceJson("import/mail.json") as { mails: { name: string; mail: string; subject: string; text: string }[]; mbox: string };
const HEAD = "From: Ann Writer <ann@example.org>\nTo: bob@example.org\nSubject: Hello\n";

describe("as Python's email and mailbox read it", () => {
  it.each(mails)("$name", async ({ mail, subject, text }) => {
    const { extracts } = await readEmail(latin(mail), context("a.eml"));
    expect(extracts).toEqual([{ name: subject, text: expect.any(String) as string, form: "plain" }]);
    expect(extracts[0]!.text.trimEnd()).toBe(text.trimEnd());
  });

  it("a mailbox of all of them", async () => {
    const { extracts, leftOut } = await mbox(box);
    expect(extracts.map(({ name }) => name)).toEqual(mails.map(({ subject }) => subject));
    extracts.forEach(({ text }, i) => expect(text.trimEnd()).toBe(mails[i]!.text.trimEnd()));
    expect(leftOut).toEqual([{ name: "a.mbox", reason: "2 attachments were left out." }]);
  });
});

describe("the text of a mail", () => {
  it("prefers the text to its HTML, and reads HTML where there is no other", async () => {
    const parts = (plain: string) => `${HEAD}MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n${plain}\n--b\nContent-Type: text/html\n\n<p>In <b>HTML</b>.</p><blockquote type="cite">theirs</blockquote>\n--b--\n`;
    expect((await textOf(parts("In text.")))?.trim()).toBe("In text.");
    expect(await eml(parts(" "))).toEqual({ extracts: [{ name: "Hello", text: "In HTML.", form: "paragraphs" }], leftOut: [] });
  });

  it("joins flowed lines, and none of different depths of quoting", async () => {
    const flowed = (text: string, more = "") => textOf(`${HEAD}Content-Type: text/plain; format=flowed${more}\n\n${text}`);
    expect(await flowed("One line \nthat flows \non.\n\n From stuffed\n-- \nAnn\n")).toBe("One line that flows on.\n\nFrom stuffed");
    expect(await flowed("On 4 March 2019 Bob wrote: \n> his words \n> go on \nand mine \ndo.\n")).toBe("and mine do.");
    expect(await flowed("> theirs=20\n>> older=20\nmine =\nwhole=\nly\n", "\nContent-Transfer-Encoding: quoted-printable")).toBe("mine wholely");
    expect(await flowed("di \nvided\n", "; delsp=yes")).toBe("divided\n");
  });

  it("reads letters beyond ASCII that no charset is named for", async () => {
    expect((await readEmail(latin(`${HEAD}\nna\u00efve caf\u00e9 \u0093so\u0094\n`), context("a.eml"))).extracts[0]?.text).toBe("naïve café “so”\n");
    expect(await textOf(`${HEAD}\nnaïve café\n`)).toBe("naïve café\n");
    await expect(readEmail(latin(`${HEAD}Content-Type: text/plain; charset=utf-8\n\ncaf\u00e9\n`), context("a.eml"))).rejects.toMatchObject({ code: "file/damaged" });
  });

  it("takes off what signs and wraps it, and says what is encrypted", async () => {
    expect(await textOf(`${HEAD}\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nMine.\n- -- \nAnn\n-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----\n`)).toBe("Mine.");
    expect(await textOf(`${HEAD}\nSee:\nbegin 644 a.txt\n#0V%T\n\`\nend\n`)).toBe("See:\n\n");
    await expect(eml(`${HEAD}\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n`)).rejects.toMatchObject({ code: "file/encrypted" });
  });

  it("gives no bytes in letters and no parts for text, where a field or boundary is broken", async () => {
    const [quoted, packed] = ["quoted-printable", "base64"].map((name) => mails.find((mail) => mail.name === name)!.mail.replace("Content-Transfer-Encoding", "Content-Transfer-Encodin"));
    for (const mail of [quoted!, packed!]) await expect(readEmail(latin(mail), context("a.eml"))).rejects.toMatchObject({ code: "file/damaged" });
    const parts = mails.find(({ name }) => name === "alternative")!;
    const unparted = parts.mail.replace("multipart/alternative", "text/plain").replace("\r\n\r\n--", "\r\n\r\nMine.\r\n--");
    expect((await readEmail(latin(unparted), context("a.eml"))).extracts[0]?.text.trim()).toBe("Mine.");
  });

  it("takes off what others wrote before their lines are joined, and says so", async () => {
    const theirs = wrap(prose("theirs", 4), 70).replace(/^/gm, "> "), own = prose("own", 4);
    const { extracts, leftOut } = await eml(`${HEAD}\n${wrap(own, 72)}\n\nOn 4 March 2019 at 10:11, Bob <bob@example.org> wrote:\n${theirs}\n-- \nAnn Writer\n+44 20 7946 0000\n`);
    expect(extracts[0]?.text).toBe(wrap(own, 72));
    expect(leftOut).toEqual([{ name: "a.eml", reason: "Quoted mail and signatures were taken off one mail." }]);
  });

  it("refuses what is not a mail, has no words, or is nested without end", async () => {
    await expect(eml("")).rejects.toMatchObject({ code: "file/damaged" });
    await expect(eml(`${HEAD}\n\n`)).rejects.toMatchObject({ code: "file/empty" });
    const nested = Array.from({ length: 60 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`).join("");
    await expect(eml(`${HEAD}${nested}\n\nx\n`)).rejects.toMatchObject({ code: "file/damaged" });
    await expect(eml(`${HEAD}Content-Type: multipart/mixed; boundary=b\n\n${"--b\n\nx\n".repeat(10_000)}`)).rejects.toMatchObject({ code: "file/damaged" });
    await expect(eml(`${HEAD}\n${"\n".repeat(3_000_000)}`)).rejects.toMatchObject({ code: "file/damaged" });
  });
});

describe("who wrote it", () => {
  it.each<[string, string]>([
    ["List-Unsubscribe: <mailto:leave@example.org>", "One newsletter was left out."],
    ["Precedence: bulk", "One newsletter was left out."],
    ["Auto-Submitted: auto-replied", "One mail that a program wrote was left out."],
    ["Content-Type: multipart/digest; boundary=b", "One digest of a mailing list was left out: several people wrote it."],
  ])("leaves out what has %s", async (field, reason) => {
    expect(await eml(`${HEAD}${field}\n\nWords.\n`)).toEqual({ extracts: [], leftOut: [{ name: "a.eml", reason }] });
  });

  it("leaves out what machines send, and keeps what people write to lists", async () => {
    for (const address of ["no-reply@example.org", "noreply@example.org", "do_not_reply@example.org", "notifications@example.org", "MAILER-DAEMON@example.org"]) {
      expect((await eml(`From: Shop <${address}>\nSubject: x\n\nWords.\n`)).extracts).toEqual([]);
    }
    expect((await eml(`From: Norep Lyons <norep.lyons@example.org>\nSubject: x\n\nWords.\n`)).extracts).toHaveLength(1);
    expect((await eml(`${HEAD}List-Post: <mailto:list@example.org>\nList-Unsubscribe: <mailto:leave@example.org>\nPrecedence: list\nAuto-Submitted: no\n\nWords.\n`)).extracts).toHaveLength(1);
  });

  const mail = (from: string, words: string, more = "") => `From ${from.replace(/.*<|>/g, "")} Mon Mar  4 10:11:12 2019\nFrom: ${from}\nSubject: ${words}\n${more}\n${words}\n\n`;

  it("keeps the mails of a mailbox's main sender, under any address", async () => {
    const { extracts, leftOut } = await mbox([
      mail("Ann Writer <ann@example.org>", "one"), mail("Bob <bob@example.org>", "theirs"), mail('"Ann Writer" <ANN@work.example>', "two"), mail("ann@example.org", "three"),
      mail("Shop <no-reply@example.org>", "buy"), mail("Carl <carl@example.org>", "theirs too"),
    ].join(""));
    expect(extracts.map(({ name }) => name)).toEqual(["one", "two", "three"]);
    expect(leftOut.map(({ reason }) => reason)).toEqual(["One mail that a program wrote was left out.", "2 mails from other people were left out: most are from one sender."]);
  });

  it("keeps all where no sender wrote most, and says so", async () => {
    const { extracts, leftOut } = await mbox(["a@x.org", "b@x.org", "c@x.org"].map((from) => mail(from, "words")).join(""));
    expect(extracts).toHaveLength(3);
    expect(leftOut).toEqual([{ name: "a.mbox", reason: "Its mails are from several senders, and none of them wrote most of them: all were taken. Take out those that are not your own." }]);
  });

  it("parts mails where they begin, not where a line does", async () => {
    const { extracts } = await mbox(mail("a@x.org", "one").replaceAll("\n", "\r\n") + mail("a@x.org", "two").replace("\n\ntwo\n\n", "\n\ntwo\n\nFrom here on, at 10:30, 2019\nI was late.\n>From now on\n>>From then\nFrom: me\n\n") + mail("a@x.org", "three"));
    expect(extracts.map(({ text }) => text.trim())).toEqual(["one", "two\n\nFrom here on, at 10:30, 2019\nI was late.\nFrom now on\nFrom: me", "three"]); // without what is quoted twice
    expect(new TextDecoder().decode(unquoted(utf8("From a\n>From b\n>>From c\n> From d\n")))).toBe("From a\nFrom b\n>From c\n> From d\n");
    await expect(mbox("From me to you\n\nwords")).rejects.toMatchObject({ code: "file/damaged" });
  });

  it("leaves out damaged mails and keeps the rest", async () => {
    const { extracts, leftOut } = await mbox(mail("a@x.org", "one") + mail("a@x.org", "bad", `Content-Type: text/plain; charset=utf-8\n`).replace("bad\n\n", "b\xe9d\n\n") + mail("a@x.org", ""));
    expect(extracts.map(({ text }) => text.trim())).toEqual(["one"]);
    expect(leftOut.map(({ reason }) => reason)).toEqual(["One mail was left out: its letters are stored in an unknown way.", "One mail without words of its own was left out."]);
  });
});
