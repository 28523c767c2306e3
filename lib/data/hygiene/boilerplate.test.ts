import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { prose } from "../testing/prose";
import { verse } from "../testing/verse";
import { type Boilerplate, type TextKind, withoutBoilerplate, withoutSharedBoilerplate } from "./boilerplate";

const MINE = "Dear Ann,\n\nthe jam arrived whole. I ate a spoonful standing up, and one for you.\n\nLove,\nRuth";
const THEIRS = "Did the jam arrive?\nI packed it in three socks.";
const quoted = THEIRS.replace(/^/gm, "> ");
const kinds = (text: string, kind: TextKind = "mail"): Boilerplate[] => withoutBoilerplate(text, kind).removed.map((r) => r.what);
const left = (text: string, kind: TextKind = "mail"): string => {
  const { text: rest, removed } = withoutBoilerplate(text, kind);
  for (const r of removed) expect(r.chars).toBe(r.end - r.start);
  // what is left and what was taken off are all there was
  const spared = removed.reduceRight((t, r) => t.slice(0, r.start) + t.slice(r.end), text);
  expect(rest.replace(/\s+/g, "")).toBe(spared.replace(/\s+/g, ""));
  return rest;
};

describe("letters: what is quoted goes", () => {
  it.each([
    "On Mon, 3 May 2021 at 10:00, Ann Lee <ann@example.org> wrote:",
    "On 3 May 2021, at 10:00, Ann Lee <ann@example.org> wrote:",
    "On Mon, 3 May 2021 at 10:00, Ann Margaret Elizabeth Lee-Carpenter\n<ann.margaret@example.org> wrote:",
    "2021-05-03 10:00 GMT+02:00 Ann Lee <ann@example.org>:\nOn 2021-05-03 Ann wrote:",
    "Am 03.05.2021 um 10:00 schrieb Ann Lee <ann@example.org>:",
    "Am Mo., 3. Mai 2021 um 10:00 Uhr schrieb Ann Lee <ann@example.org>:",
    "Le lun. 3 mai 2021 à 10:00, Ann Lee <ann@example.org> a écrit :",
    "El lun, 3 may 2021 a las 10:00, Ann Lee (<ann@example.org>) escribió:",
    "Il giorno lun 3 mag 2021 alle ore 10:00 Ann Lee <ann@example.org> ha scritto:",
    "Em seg., 3 de mai. de 2021 às 10:00, Ann Lee <ann@example.org> escreveu:",
    "Op ma 3 mei 2021 om 10:00 schreef Ann Lee <ann@example.org>:",
    "Den mån 3 maj 2021 kl 10:00 skrev Ann Lee <ann@example.org>:",
    "W dniu 03.05.2021 o 10:00, Ann Lee pisze:",
    "03.05.2021 10:00, Ann Lee пишет:",
    "пн, 3 мая 2021 г. в 10:00, Ann Lee <ann@example.org> написал(а):",
    "2021年5月3日(月) 10:00 Ann Lee <ann@example.org>のメール:",
    "在 2021年5月3日 上午10:00，Ann Lee <ann@example.org> 写道：",
  ])("%s", (announcement) => {
    const head = announcement.split("\n").slice(-1)[0]?.includes("<ann.margaret") ? announcement : (announcement.split("\n").at(-1) as string);
    expect(left(`${MINE}\n\n${head}\n\n${quoted}\n>\n> > older\n`)).toBe(MINE);
    expect(kinds(`${MINE}\n\n${head}\n${quoted}`)).toEqual(["quote"]);
    expect(left(`${head}\n${quoted}\n\n${MINE}`)).toBe(MINE); // answered below
  });

  it.each([
    "-----Original Message-----",
    "-----Ursprüngliche Nachricht-----",
    "-------- Message d'origine --------",
    "-----Mensaje original-----",
    "-----Messaggio originale-----",
    "---------- Forwarded message ---------",
    "Begin forwarded message:",
    "-----Исходное сообщение-----",
  ])("%s", (mark) => {
    expect(left(`${MINE}\n\n${mark}\nFrom: Ann\n\n${THEIRS}`)).toBe(MINE);
  });

  it.each([
    ["From", "Sent", "To", "Subject"],
    ["Von", "Gesendet", "An", "Betreff"],
    ["De ", "Envoyé ", "À ", "Objet "],
    ["De", "Enviado el", "Para", "Asunto"],
    ["Da", "Inviato", "A", "Oggetto"],
    ["De", "Enviada em", "Para", "Assunto"],
    ["Van", "Verzonden", "Aan", "Onderwerp"],
    ["Från", "Skickat", "Till", "Ämne"],
    ["Fra", "Sendt", "Til", "Emne"],
    ["От", "Отправлено", "Кому", "Тема"],
    ["差出人", "送信日時", "宛先", "件名"],
    ["**From", "**Sent", "**To", "**Subject"],
  ])("%s: …, %s: …, %s: …, %s: …", (from, sent, to, subject) => {
    const bold = from.startsWith("**") ? "**" : "";
    const head = `${from}:${bold} Ann Lee <ann@example.org>\n${sent}:${bold} Monday, 3 May 2021 10:00\n${to}:${bold} Ruth\n${subject}:${bold} Re: jam`;
    expect(left(`${MINE}\n\n________________________________\n${head}\n\n${THEIRS}`)).toBe(MINE);
    expect(left(`${head}\n\n${MINE}`)).toBe(MINE); // its own head
    expect(left(`${head}\n\n${MINE}`, "plain")).toBe(MINE);
  });

  it("keeps answers between quoted lines", () => {
    const text = `On 3 May 2021 Ann <ann@example.org> wrote:\n> Did the jam arrive?\n\nWhole.\n\n> Are you well?\n\nI am, thank you.`;
    expect(left(text)).toBe("Whole.\n\nI am, thank you.");
  });

  it("takes all below an announcement without signs for quoted, if an own letter stands above", () => {
    expect(left(`${MINE}\n\nOn Mon, 3 May 2021 at 10:00, Ann Lee <ann@example.org> wrote:\n\n${THEIRS}`)).toBe(MINE);
  });

  it.each<[string, string, TextKind]>([
    ["somebody who wrote, in a letter", `${MINE}\n\nThen she wrote:\n\n“Come home.”`, "mail"],
    ["a day on which somebody wrote", "On 3 May 1921 my grandmother wrote to her sister:\n\nthe jam arrived whole.", "mail"],
    ["what stands below an announcement, where nothing tells the answer from it", `On Mon, 3 May 2021 at 10:00, Ann Lee <ann@example.org> wrote:\n\n${THEIRS}\n\n${MINE}`, "mail"],
    ["quotations in a note", `What she said:\n\n${quoted}\n\nI thought about it for days.`, "note"],
    ["a novel in letters", `She read it.\n\nFrom: Ann\nTo: Ruth\nSubject: jam\n\n${THEIRS}\n\nAnd she laughed.`, "plain"],
    ["dialogue between guillemets", "« Bonjour », dit-il.\n\n» Adieu, she thought.", "page"],
  ])("keeps %s", (_, text, kind) => {
    expect(left(text, kind)).toBe(text);
  });
});

describe("letters: what programs and firms add goes", () => {
  it.each([
    "Sent from my iPhone", "Von meinem iPhone gesendet", "Gesendet von Outlook für Android", "Envoyé de mon iPhone", "Enviado desde mi iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone", "Skickat från min iPhone",
    "Отправлено с iPhone", "iPhoneから送信", "发自我的iPhone", "Get Outlook for iOS", "Get Outlook for Android <https://example.org/x>", "Sent via the Samsung Galaxy S21, an AT&T 5G smartphone", "Please consider the environment before printing this e-mail.",
  ])("%s", (line) => {
    expect(left(`${MINE}\n\n${line}`)).toBe(MINE);
    expect(left(`${MINE}\n\n${line}\n\nOn 3 May 2021 Ann <ann@example.org> wrote:\n${quoted}`)).toBe(MINE);
    expect(kinds(`${MINE}\n\n${line}`, "plain")).toEqual(["signature"]);
  });

  it.each([
    "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received it in error, please notify the sender and delete it.",
    "Diese E-Mail enthält vertrauliche Informationen und ist nur für den Adressaten bestimmt. Wenn Sie diese Nachricht irrtümlich erhalten haben, informieren Sie bitte den Absender und vernichten Sie sie.",
    "Ce message et ses pièces jointes sont confidentiels et réservés à ses destinataires. Si vous avez reçu ce message par erreur, merci d’avertir l’expéditeur et de le supprimer.",
  ])("%s", (notice) => {
    expect(left(`${MINE}\n\n${notice}`)).toBe(MINE);
    expect(kinds(`${MINE}\n\n${notice}`)).toEqual(["notice"]);
    expect(left(`${MINE}\n\n${notice}`, "plain")).toBe(`${MINE}\n\n${notice}`);
  });

  it("signatures below their sign, if they are short", () => {
    expect(left(`${MINE}\n\n--\nRuth Carpenter\nJams and Pickles\n+44 20 7946 0000`)).toBe(MINE);
    const long = `${MINE}\n\n--\n\n${prose("essay", 20)}`;
    expect(left(long)).toBe(long);
    const scene = "He left.\n\n--\n\nShe stayed.";
    expect(left(scene, "plain")).toBe(scene);
  });

  it("mailing lists' footers", () => {
    expect(left(`${MINE}\n\n_______________________________________________\nJam-makers mailing list\nJam@example.org\nhttps://example.org/jam`)).toBe(MINE);
    expect(left(`${MINE}\n\n--\nYou received this message because you are subscribed to the Google Groups "jam" group.\nTo unsubscribe from this group, send an email.`)).toBe(MINE);
  });

  it("all together, told apart and placed", () => {
    const text = `${MINE}\n\nSent from my iPhone\n\n> On 3 May 2021, at 10:00, Ann <ann@example.org> wrote:\n${quoted}`;
    const { text: rest, removed } = withoutBoilerplate(text, "mail");
    expect(rest).toBe(MINE);
    expect(removed.map(({ what, start, end }) => [what, text.slice(start, end).split("\n")[0]])).toEqual([["signature", "Sent from my iPhone"], ["quote", "> On 3 May 2021, at 10:00, Ann <ann@example.org> wrote:"]]);
  });

  it("keeps a writer who speaks of such things", () => {
    for (const line of ["Sent from my window, as it were: a wave.", "I consider the environment every morning, before breakfast.", "This message is confidential, so burn it.", "Love from your iPhone-less Ruth"]) {
      const text = `${MINE}\n\n${line}`;
      expect(left(text)).toBe(text);
    }
  });
});

describe("pages", () => {
  const post = prose("post", 6);
  it("lose their buttons, labels and comments", () => {
    const text = `Skip to content\n\nHome\nAbout\n\nPosted on May 3, 2021 by Ruth\n\n${post}\n\nShare this:\nTwitter\nFacebook\n\nLike Loading...\n\nPosted in Jam, Kitchen\n\n2 thoughts on “Jam”\n\nAnn says:\nMay 4, 2021 at 10:00 am\nHow lovely.\nReply`;
    expect(left(text, "page")).toBe(`Home\nAbout\n\n${post}`.replace("Home\nAbout\n\n", ""));
    expect(new Set(kinds(text, "page"))).toEqual(new Set(["page", "comments"]));
    expect(left(text, "plain")).toBe(text);
  });

  it("keep what a writer may have written", () => {
    for (const text of [
      `Menu\n\n${post}`,
      `${post}\n\nShare\nalike in the jam and the bread\n\n${post}`,
      `${prose("a", 12)}\n\nPosted in the hall at midnight\n\n${prose("b", 30)}`,
      `${post}\n\nPublished in 1922, it was forgotten at once.`,
      `Tagged with the names of the dead,\nthe coats hang in a row.\n\n${post}`,
      `12 comments\n\n${post}\n\nHe said nothing.`,
    ].slice(0, 5)) expect(left(text, "page")).toBe(text);
  });
});

describe("notes and rights", () => {
  it("what a program wrote above an entry goes", () => {
    expect(left("Created: 2021-05-03 10:00\nTags: jam, kitchen\n\nThe jam is made.", "note")).toBe("The jam is made.");
    expect(left("    Date:    3 May 2021 at 10:00:12 BST\n    Weather:    12°C Cloudy\n    Location:    Bath\n\nThe jam is made.\n\n    Date:    4 May 2021 at 09:00:00 BST\n    Weather:    9°C\n\nEaten.", "plain")).toBe("The jam is made.\n\nEaten.");
    expect(left("The jam is made.\n\nExported from Bear on 3 May 2021", "note")).toBe("The jam is made.");
    for (const own of ["Tags: none of us had any.\n\nWe ran.", "Weather: foul.\nMood: worse.\n\nNothing grew.", "Date: unknown\nPlace: unknown"]) expect(left(own, "note")).toBe(own);
  });

  it("statements of rights at an end go", () => {
    const text = prose("rights", 8);
    for (const line of ["© 2021 Ruth Carpenter. All rights reserved.", "Copyright (c) 2019–2021 Ruth Carpenter", "All rights reserved.", "This work is licensed under a Creative Commons Attribution 4.0 International License."]) {
      expect(left(`${text}\n\n${line}`, "plain")).toBe(text);
      expect(left(`${line}\n\n${text}`, "plain")).toBe(text);
      expect(kinds(`${text}\n\n${line}\n\n${text}`, "plain")).toEqual([]);
    }
    for (const own of ["Copyright is a strange word, and in 1922 it was stranger still, as my uncle found when he tried to sell his one song twice.", "This garden is published under the open sky."]) expect(left(`${text}\n\n${own}`, "plain")).toBe(`${text}\n\n${own}`);
  });
});

describe("lines that many documents begin or end with", () => {
  const letters = (n: number, make: (text: string, i: number) => string): string[] => Array.from({ length: n }, (_, i) => make(prose(`l${i}`, 4), i));
  const clean = async (texts: string[]): Promise<string[]> => (await withoutSharedBoilerplate(texts.map((text) => ({ text, kind: "plain" })))).map((r) => r.text);

  it("go, also where numbers in them differ", async () => {
    const bare = letters(12, (text) => text);
    expect(await clean(letters(12, (text, i) => `The Jam Letter | Number ${i} | www.example.org\n\n${text}\n\nRuth Carpenter\nJams and Pickles\nTelephone +44 20 7946 0000\nwww.example.org/jam`))).toEqual(bare.map((text) => `${text}\n\nRuth Carpenter\nJams and Pickles`));
    expect(await clean(letters(12, (text) => `${text}\n\nIf you would like to hear of new jams, write to me and I will put your name down.`))).toEqual(bare);
  });

  it("stay in fewer than five documents, and one by one", async () => {
    const four = letters(4, (text) => `${text}\n\nwww.example.org/jam`);
    expect(await clean(four)).toEqual(four);
    expect(withoutBoilerplate(four[0] as string, "plain").removed).toEqual([]);
    expect((await withoutSharedBoilerplate(four.map((text) => ({ text, kind: "plain" })), { minDocuments: 4 })).every((r) => r.removed.length === 1)).toBe(true);
  });

  it("stay where they are the writer's greeting, closing, name, title or refrain", async () => {
    for (const make of [(t: string) => `Dear Ann,\n\n${t}\n\nWith love from all of us here at number nine, as ever, Ruth`, (t: string) => `Monday\n\n${t}\n\nsleep well`, (t: string, i: number) => `The jam diary, day ${i}\n\n${t}`]) {
      const texts = letters(30, make);
      expect(await clean(texts)).toEqual(texts);
    }
  });

  it("are not looked for in the middle", async () => {
    const texts = letters(12, (_, i) => `${prose(`h${i}`, 9)}\n\nwww.example.org/jam\n\n${prose(`m${i}`, 12)}`);
    expect(await clean(texts)).toEqual(texts);
  });
});

describe("what has none of it", () => {
  const samples = ["allotment", "letters"].flatMap((id) => (JSON.parse(readFileSync(new URL(`../../../public/samples/${id}.json`, import.meta.url), "utf8")) as { pieces: { text: string }[] }).pieces.map((p) => p.text));
  it.each<TextKind>(["mail", "page", "note", "plain"])("stays as it is, to the character: %s", async (kind) => {
    const texts = [...samples, prose("x", 30), verse("y", { stanzas: 10, lines: 6, chars: [10, 50], indent: "   " }), "", "\n\n", "  a  \n\n\n\n b ", "»Ja.«\n—No."];
    for (const text of texts) expect(withoutBoilerplate(text, kind)).toEqual({ text, removed: [] });
    expect((await withoutSharedBoilerplate(texts.map((text) => ({ text, kind })))).map((r) => r.text)).toEqual(texts);
  });

  it("is read in a time that grows with its length, whatever it is", () => {
    const N = 40_000;
    for (const line of ["> x", "Sent from my iPhone", "On 3 May 2021", "On 3 May 2021 a@b.c wrote:", "From: a@b.c", "-----Original Message-----", "Share this:", "Tags: 2021-01-01", "--", "© 2021", "", ">", "www.example.org", "12 comments"]) {
      for (const kind of ["mail", "page"] as const) withoutBoilerplate(`own\n${`${line}\n`.repeat(N)}`, kind);
    }
    for (const long of ["> ".repeat(N), "wrote:".repeat(N), "On 1 ".repeat(N), "a@".repeat(N), " ".repeat(5 * N), "confidential message in error addressee delete this ".repeat(N / 10)]) for (const kind of ["mail", "page", "note"] as const) withoutBoilerplate(`${long}\n\n${long}`, kind);
  });
});
