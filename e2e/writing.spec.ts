/** The writing page: a mixed archive read in the worker, its flags, an edit, pieces left out and taken in, another division, the training examples; hostile content is only text. */
import { expect, test, type Page } from "@playwright/test";
import { zipSync } from "fflate";
import { goTo, OWN_TEXT, START_TIMEOUT_MS } from "./person";
import { stored } from "./stored";
import { watch } from "./watch";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const PARAGRAPHS = OWN_TEXT.split("\n\n");
const stretch = (from: number, count: number): string => PARAGRAPHS.slice(from, from + count).join("\n\n");

const GERMAN = `Als wir am Abend zurück ins Dorf kamen, war der Bäcker schon wach. Er stand vor der Tür und sah dem Regen zu, der seit drei Tagen nicht aufgehört hatte.

Meine Großmutter sagte, so etwas habe es in ihrer Jugend nie gegeben. Damals habe man im Winter gefroren und im Sommer geschwitzt, und dazwischen sei man zur Kirche gegangen.`;

const CHAT = Array.from({ length: 12 }, (_, i) => `12/03/2024, 18:${10 + i} - ${i % 2 === 0 ? "Mara" : "Jo"}: message number ${i} about the ladder`).join("\n");

const docx = (paragraphs: readonly string[]): Uint8Array =>
  zipSync({
    "[Content_Types].xml": bytes('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'),
    "_rels/.rels": bytes('<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'),
    "word/document.xml": bytes(`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${paragraphs.map((p) => `<w:p><w:r><w:t>${p}</w:t></w:r></w:p>`).join("")}</w:body></w:document>`),
  });
const mail = (body: string): string => `From: Ann <ann@example.com>\r\nTo: Bo <bo@example.com>\r\nSubject: The oven\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body.replaceAll("\n", "\r\n")}\r\n\r\n-- \r\nAnn Lee\r\nLower Farm, telephone 0123\r\n`;
const csv = (...texts: string[]): string => `title,text\n${texts.map((text, i) => `Row ${i + 1},"${text.replaceAll('"', '""')}"`).join("\n")}\n`;

const MIXED = {
  "diary/march/first.txt": bytes(stretch(0, 3)),
  "diary/march/first, again.txt": bytes(stretch(0, 3).replace("the", "a")),
  "second.docx": docx(PARAGRAPHS.slice(3, 5)),
  "web/third.html": bytes(`<!doctype html><title>Third</title><h1>Third</h1>${PARAGRAPHS.slice(5, 7).map((p) => `<p>${p}</p>`).join("")}`),
  "fourth.eml": bytes(mail(stretch(7, 2))),
  "rain.txt": bytes("It has rained for a week here, and the river stands in the lower field.\n\nCome when it is dry, and bring the boots that you left with us in March.\n\nCopyright © 2021 Ann Lee. All rights reserved.\n"),
  "rows.csv": bytes(csv(stretch(9, 1), stretch(10, 2))),
  "lines.jsonl": bytes([stretch(12, 1), stretch(13, 2)].map((text, i) => `${JSON.stringify({ title: `Line ${i}`, text })}\n`).join("")),
  "dorf.txt": bytes(GERMAN),
  "chats/WhatsApp Chat with Jo.txt": bytes(CHAT),
  "__MACOSX/._first.txt": bytes("x"),
  "broken.docx": bytes("PK\u0003\u0004 and nothing more"),
};

async function giveZip(page: Page, name: string, files: Record<string, Uint8Array>): Promise<void> {
  await page.getByTestId("drop-input").setInputFiles({ name, mimeType: "application/zip", buffer: Buffer.from(zipSync(files)) });
}
const pieces = (page: Page) => page.getByRole("navigation", { name: "Pieces" });
const line = (page: Page, name: string) => pieces(page).getByRole("listitem").filter({ hasText: name });
const openPiece = (page: Page, name: string): Promise<void> => line(page, name).getByRole("button").click();

test("a mixed archive: flags, editing, leaving out, another division, examples", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  await page.goto("/");
  await giveZip(page, "everything of mine.zip", MIXED);
  await expect(page).toHaveURL(/\/writing$/, { timeout: START_TIMEOUT_MS });

  await test.step("what was left out is said with its reason, and the rest is here", async () => {
    await expect(page.getByText(/WhatsApp Chat with Jo\.txt: It looks like a conversation/)).toBeVisible();
    await expect(page.getByTestId("error")).toContainText("broken.docx");
    await expect(page.getByText(/Hidden and system files/)).toBeVisible();
    const { documents, hands } = await stored(page);
    expect(documents.map(({ format }) => format).sort()).toEqual(["csv", "csv", "docx", "email", "html", "jsonl", "jsonl", "text", "text", "text", "text"]);
    expect(hands).toHaveLength(1);
    expect(documents.find(({ path }) => path?.endsWith("first.txt"))?.path).toBe("everything of mine.zip/diary/march/first.txt");
  });

  await test.step("flags: the near-copy is left out as suggested and stays beside its twin, German and what was taken off are told", async () => {
    const { documents, hands } = await stored(page);
    const out = documents.filter(({ excluded }) => excluded !== undefined);
    expect(out).toHaveLength(1);
    expect(out[0]!.excluded).toMatchObject({ by: "inspection" });
    expect(hands[0]!.groups).toHaveLength(1);
    await expect(page.getByTestId("totals")).toContainText("as suggested");
    await expect(line(page, "near-copy of")).toHaveCount(1);
    await expect(line(page, "dorf")).toContainText("German");
    await openPiece(page, "rain");
    await expect(page.getByTestId("piece-text")).not.toContainText("Copyright");
    await page.getByTestId("taken-off").getByText("Taken off, as not yours").click();
    await expect(page.getByTestId("taken-off")).toContainText("All rights reserved");
  });

  await test.step("the suggestion is overruled, and put back", async () => {
    const name = (await stored(page)).documents.find(({ excluded }) => excluded !== undefined)!.name;
    await pieces(page).getByRole("button", { name: /left out/ }).click();
    await expect(page.getByTestId("left-out")).toContainText("as suggested");
    await page.getByTestId("use-piece").click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^11 pieces/);
    await expect(page.getByTestId("split-words")).toContainText("one side");
    await page.getByTestId("leave-out").click();
    await expect(page.getByTestId("left-out")).toContainText("You left this piece out");
    expect((await stored(page)).documents.find((document) => document.name === name)?.excluded?.by).toBe("person");
  });

  await test.step("an edit is kept, survives turning away before it is, and can be undone", async () => {
    await openPiece(page, "second");
    const before = (await stored(page)).documents.find(({ name }) => name === "second")!;
    await page.getByTestId("edit-piece").click();
    await page.getByTestId("edit-text").fill("The first line is mine now.\n\nAnd the second.");
    await goTo(page, "Train");
    await goTo(page, "Writing");
    await openPiece(page, "second");
    await expect(page.getByTestId("edit-text")).toHaveValue(/mine now/);
    await page.getByTestId("edit-text").press("Control+Enter");
    await expect(page.getByTestId("piece-text")).toHaveText(/The first line is mine now\./);
    await expect.poll(async () => (await stored(page)).documents.find(({ name }) => name === "second")).toMatchObject({ text: "The first line is mine now.\n\nAnd the second.", words: 9, edited: true, original: before.text });
    await expect(line(page, "second")).toContainText("edited by you");
    await page.getByTestId("undo-edit").click();
    await expect.poll(async () => (await stored(page)).documents.find(({ name }) => name === "second")?.text).toBe(before.text);
  });

  await test.step("several are left out and used again, by keyboard alone", async () => {
    await pieces(page).getByRole("searchbox").fill("rows.csv");
    await expect(pieces(page).getByRole("listitem")).toHaveCount(2);
    await pieces(page).getByRole("button", { name: "Choose several" }).press("Enter");
    await pieces(page).getByRole("checkbox", { name: /^All/ }).press("Space");
    await pieces(page).getByRole("button", { name: "Leave out 2" }).press("Enter");
    await expect.poll(async () => (await stored(page)).documents.filter(({ excluded }) => excluded?.by === "person").length).toBe(3);
    await pieces(page).getByRole("button", { name: "Use 2" }).press("Enter");
    await expect.poll(async () => (await stored(page)).documents.filter(({ excluded }) => excluded?.by === "person").length).toBe(1);
    await pieces(page).getByRole("button", { name: "Done choosing" }).press("Enter");
    const row = line(page, "Row 1").getByRole("button");
    await row.press("Delete");
    await expect(row).toContainText("left out");
    await row.press("Delete");
    await expect(row).not.toContainText("left out");
    await pieces(page).getByRole("searchbox").fill("");
  });

  await test.step("another division is stored with the hand, and used", async () => {
    await page.getByText("Divide it otherwise").click();
    await page.getByTestId("share-test").fill("25");
    await page.getByTestId("split-seed").fill("7");
    await page.getByTestId("divide").click();
    await expect.poll(async () => (await stored(page)).hands[0]).toMatchObject({ seed: 7, shares: { train: 0.65, validation: 0.1, test: 0.25 } });
    await page.reload();
    await page.getByText("Divide it otherwise").click();
    await expect(page.getByTestId("share-test")).toHaveValue("25");
    await page.getByRole("button", { name: /Back to 80/ }).click();
    await expect.poll(async () => (await stored(page)).hands[0]!.shares).toBeUndefined();
  });

  await test.step("the examples are passages of the writing, with their tokens", async () => {
    await page.getByText("See what the model will be given").click();
    const completions = page.getByTestId("examples").getByTestId("completion");
    await expect(completions).toHaveCount(2, { timeout: START_TIMEOUT_MS });
    const { documents } = await stored(page);
    const flat = (text: string): string => text.replace(/\s+/g, " ").trim();
    for (const text of await completions.allInnerTexts()) expect(documents.some((document) => flat(document.text).includes(flat(text)))).toBe(true);
    await expect(page.getByTestId("examples")).toContainText(/\d+ tokens are asked, \d+ are to be written/);
    const before = await completions.first().innerText();
    await page.getByTestId("other-examples").click();
    await expect(completions.first()).not.toHaveText(before);
    await page.getByTestId("show-cut").click();
    await expect(page.getByTestId("piece-cut").locator("section").first()).toContainText(/\d+ words?, /);
  });
  seen.expectClean();
});

const HOSTILE = '<img src=x onerror="window.ran=1"><svg onload="window.ran=1"><script>window.ran=1</script>';

test("markup, scripts and odd file names are only ever text", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  await page.goto("/");
  await giveZip(page, "hostile.zip", {
    [`${HOSTILE.replaceAll("/", "")}.txt`]: bytes(`${HOSTILE}\n\n${stretch(0, 4)}`),
    "image.svg": bytes('<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran=1"><script>window.ran=1</script><text>hello</text></svg>'),
    "page.html": bytes(`<html><head><base href="https://elsewhere.example/"><meta http-equiv="refresh" content="0;url=https://elsewhere.example"></head><body onload="window.ran=1">${HOSTILE}</svg><iframe src="https://elsewhere.example"></iframe><p>${PARAGRAPHS[5]!}</p><p>&lt;b&gt;${PARAGRAPHS[6]!}</p></body></html>`),
    "note.md": bytes(`# [click](javascript:window.ran=1)\n\n![x](https://elsewhere.example/x.png)\n\n${HOSTILE}\n\nTwo caf&eacute;s &amp; a bar.\n\n${stretch(7, 2)}`),
    "../../up.txt": bytes(stretch(9, 2)),
    "\u202etxt.exe.txt": bytes(stretch(11, 2)),
  });
  await expect(page).toHaveURL(/\/writing$/, { timeout: START_TIMEOUT_MS });
  const { documents } = await stored(page);
  expect(documents.length).toBeGreaterThanOrEqual(5);
  expect(documents.find(({ format }) => format === "markdown")?.text).toContain("Two cafés & a bar.");
  for (const { id, name } of documents) {
    expect(name).not.toMatch(/[\u202a-\u202e]/);
    await pieces(page).getByRole("listitem").nth(documents.findIndex((document) => document.id === id)).getByRole("button").click();
    await expect(page.getByRole("heading", { level: 2, name, exact: true })).toBeVisible();
    expect(await page.locator("main").locator("img, iframe, script, svg[onload], base, object").count()).toBe(0);
    expect(await page.locator("main a[href^='javascript'], main a[href*='elsewhere']").count()).toBe(0);
  }
  await pieces(page).getByRole("listitem").first().getByRole("button").click();
  await page.getByTestId("edit-piece").click();
  await expect(page.getByTestId("edit-text")).toHaveValue(/window\.ran=1/);
  expect(await page.evaluate(() => "ran" in window)).toBe(false);
  expect(documents.map(({ path }) => path).join(" ")).not.toContain("..");
  seen.expectClean();
});

test("a long import goes on in its worker, can be stopped, and keeps what was read; what is dropped meanwhile waits", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  await page.goto("/");
  const words = OWN_TEXT.match(/\w+/g)!;
  const note = (i: number): string => Array.from({ length: 60 }, (_, k) => words[(i * 7919 + k * k * 31 + i * k * 17) % words.length]!).join(" ");
  const many = Object.fromEntries(Array.from({ length: 12_000 }, (_, i) => [`notes/${i}.txt`, bytes(note(i))]));
  await giveZip(page, "notes.zip", many);
  await expect(page.getByTestId("intake-progress")).toBeVisible();
  await page.getByTestId("drop-input").setInputFiles({ name: "meanwhile.txt", mimeType: "text/plain", buffer: Buffer.from(stretch(0, 6)) });
  await expect(page.getByText("What you gave meanwhile comes next.")).toBeVisible();
  await expect(page.getByTestId("intake-progress")).toContainText(/[1-9][\d,]* pieces kept so far/, { timeout: START_TIMEOUT_MS });
  // The page answers while the worker reads.
  await page.getByRole("button", { name: "Paste text" }).click({ timeout: 5000 });
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page).toHaveURL(/\/writing$/, { timeout: START_TIMEOUT_MS });
  await expect(page.getByText(/^Stopped\./)).toBeVisible();
  const { documents, hands } = await stored(page);
  expect(hands).toHaveLength(1);
  expect(documents.length).toBeGreaterThan(0);
  expect(documents.length).toBeLessThan(12_000);
  expect(documents.some(({ name }) => name === "meanwhile")).toBe(false);
  seen.expectClean();
});

test("a full disk: it is said, and what was stored stays", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  const session = await context.newCDPSession(page);
  const origin = new URL(baseURL!).origin;
  await page.goto("/");
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
  await page.getByTestId("drop-input").setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from(OWN_TEXT) });
  await expect(page.getByTestId("error")).toHaveAttribute("data-code", "store/full", { timeout: START_TIMEOUT_MS });
  expect((await stored(page)).hands).toEqual([]);
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  expect(seen.faults.filter((fault) => !/Quota/i.test(fault))).toEqual([]);
});
