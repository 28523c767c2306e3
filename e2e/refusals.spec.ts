/** What cannot be used is refused in plain words with what to do next, and costs nothing of what is there; odd encodings are read right. */
import { readFileSync } from "node:fs";
import { expect, test, type Page } from "@playwright/test";
import { zipSync } from "fflate";
import { beginWith, expectState, giveFile, OWN_TEXT, SHORT_TEXT, START_TIMEOUT_MS } from "./person";
import { emptySafetensors } from "./safetensors";
import { stored } from "./stored";
import { watch } from "./watch";

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

const CHAT = `12/03/2024, 18:02 - Messages and calls are end-to-end encrypted. No one outside of this chat can read them.
12/03/2024, 18:02 - Mara: are you still at the shop
12/03/2024, 18:04 - Jo: just locking up, why
12/03/2024, 18:04 - Mara: can you bring back the long ladder, the gutter is singing again
12/03/2024, 18:05 - Jo: it is in the van
12/03/2024, 18:05 - Jo: I will need somebody to hold it
12/03/2024, 18:09 - Mara: bring the boy then
12/03/2024, 18:11 - Jo: he says he has homework
12/03/2024, 18:11 - Mara: he has never once had homework
12/03/2024, 18:15 - Jo: on our way
`;

const utf16 = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);

/** The error on show: which one it is, and that it says what to do. */
async function expectRefused(page: Page, code: string, words: RegExp): Promise<void> {
  const note = page.getByTestId("error").last();
  await expect(note).toHaveAttribute("data-code", code, { timeout: START_TIMEOUT_MS });
  await expect(note).toContainText(words);
  const sentences = note.locator(":scope > p");
  await expect(sentences, "what happened, and what to do next").toHaveCount(2);
  for (const sentence of await sentences.allInnerTexts()) expect(sentence).toMatch(/\.$/);
}

const BAD_TEXTS: [what: string, name: string, content: string | Uint8Array, code: string, words: RegExp][] = [
  ["an empty file", "empty.txt", "", "file/empty", /“empty\.txt” has no words in it/],
  ["a file of spaces", "blank.txt", " \n\n\t \n", "file/empty", /has no words in it/],
  ["an image renamed to .txt", "holiday.txt", PNG, "file/not-text", /looks like a PNG image/],
  ["half of a UTF-16 character", "torn.txt", Buffer.concat([utf16("It was raining"), Buffer.from([0x00, 0xd8, 0x20, 0x00])]), "file/damaged", /damaged/],
];

test("texts that cannot be used are refused on the start page and beside a hand, which keeps what it has", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  await page.goto("/");
  for (const [what, name, content, code, words] of BAD_TEXTS) {
    await test.step(`${what}, first of all`, async () => {
      await giveFile(page, name, content);
      await expectRefused(page, code, words);
      await expect(page).toHaveURL(/\/$/);
      expect((await stored(page)).hands).toEqual([]);
    });
  }

  await test.step("a chat export is set aside, and the page says why", async () => {
    await giveFile(page, "WhatsApp Chat.txt", CHAT);
    await expect(page.getByText(/WhatsApp Chat\.txt: It looks like a conversation/)).toBeVisible();
    expect((await stored(page)).hands).toEqual([]);
  });

  await beginWith(page, "night-bread.txt", SHORT_TEXT);
  const before = await stored(page);
  for (const [what, name, content, code, words] of BAD_TEXTS) {
    await test.step(`${what}, beside a hand`, async () => {
      await giveFile(page, name, content);
      await expectRefused(page, code, words);
      expect(await stored(page)).toEqual(before);
    });
  }

  await test.step("a good file among bad ones is read all the same", async () => {
    await page.getByTestId("drop-input").setInputFiles([
      { name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) },
      { name: "second.txt", mimeType: "text/plain", buffer: Buffer.from(OWN_TEXT.split("\n\n").slice(8).join("\n\n")) },
    ]);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^2 pieces/);
    await expectRefused(page, "file/empty", /empty\.txt/);
  });

  await test.step("the same text once more is left out, and the page says why", async () => {
    await giveFile(page, "copy.txt", SHORT_TEXT);
    await expect(page.getByText(/It is the same text as “night-bread”, which is already here\./)).toBeVisible();
    expect((await stored(page)).documents).toHaveLength(2);
  });
  seen.expectClean();
});

test("an archive of several kinds of files is read, each by its own kind", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  const [first, second, third] = [0, 6, 12].map((from) => OWN_TEXT.split("\n\n").slice(from, from + 6)) as [string[], string[], string[]];
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const docx = zipSync({
    "[Content_Types].xml": text('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'),
    "_rels/.rels": text('<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'),
    "word/document.xml": text(`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${first.map((p) => `<w:p><w:r><w:t>${p}</w:t></w:r></w:p>`).join("")}</w:body></w:document>`),
  });
  const html = text(`<!doctype html><title>Second</title><img src="x" onerror="document.title='run'"><script>document.title = "run"</script>${second.map((p) => `<p>${p}</p>`).join("")}`);
  const mail = text(`From: Ann <ann@example.com>\r\nTo: Bo <bo@example.com>\r\nSubject: Third\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${third.join("\r\n\r\n")}\r\n`);
  const stream = "BT /F1 12 Tf 40 700 Td (The kettle had been on for an hour.) Tj 0 -14 Td (Nobody came down to it.) Tj ET";
  const pdf = text(`%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n4 0 obj<</Length ${stream.length}>>stream\n${stream}\nendstream endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n`);
  const zip = zipSync({ "fourth.pdf": pdf, "notes/first.docx": docx, "web/second.html": html, "third.eml": mail, "chats/WhatsApp Chat.txt": text(CHAT), "../../etc/passwd.png": PNG });
  await page.goto("/");
  await page.getByTestId("drop-input").setInputFiles({ name: "mixed.zip", mimeType: "application/zip", buffer: Buffer.from(zip) });
  await expect(page).toHaveURL(/\/writing$/, { timeout: START_TIMEOUT_MS });
  await expect(page.getByText(/It looks like a conversation/)).toBeVisible();
  const { documents } = await stored(page);
  expect(documents.shift()).toMatchObject({ format: "pdf", name: "fourth" });
  expect(documents.map(({ format, text: read }) => [format, read.split(/\n+/).length])).toEqual([["docx", first.length], ["html", second.length], ["email", third.length]]);
  expect(documents[0]!.text).toContain(first[0]!);
  expect(documents[1]!.name).toBe("Second");
  expect(await page.title()).not.toBe("run");
  seen.expectClean();
});

test("too little text says how much is needed, and offers no training until there is", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  await beginWith(page, "note.txt", "Back at six. There is soup.");
  await expect(page.getByTestId("too-little")).toContainText("at least 300 words are needed");
  await expect(page.getByTestId("teach")).toHaveCount(0);
  await page.goto("/train");
  await expect(page.getByRole("heading", { name: "There is not enough to learn from yet" })).toBeVisible();
  await expect(page.getByTestId("start-training")).toHaveCount(0);
  await page.getByRole("link", { name: "Add some writing first" }).click();
  await giveFile(page, "night-bread.txt", SHORT_TEXT);
  await expect(page.getByTestId("teach")).toBeVisible();
  seen.expectClean();
});

test("a UTF-16 file is read to the right letters", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  const text = `Zoë’s façade — “naïve”, she said, à la carte.\n\n${SHORT_TEXT}`;
  await page.goto("/");
  await giveFile(page, "letter.txt", utf16(text.replaceAll("\n", "\r\n")));
  await expect(page).toHaveURL(/\/writing$/);
  await expect(page.getByText("Zoë’s façade — “naïve”, she said, à la carte.")).toBeVisible();
  await expect(page.getByText("read as utf-16le")).toBeVisible();
  expect((await stored(page)).documents).toMatchObject([{ text, encoding: "utf-16le" }]);
  seen.expectClean();
});

test("adapters that do not fit are refused, and change nothing", async ({ page, context, baseURL }) => {
  test.setTimeout(4 * START_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await beginWith(page, "night-bread.txt", SHORT_TEXT);
  await page.goto("/share");
  const before = await stored(page);
  const peft = (name: string) => new Uint8Array(readFileSync(new URL(`../tools/reference/data/qwen2-tied/adapter/${name}`, import.meta.url)));
  const settings = Buffer.from(peft("adapter_config.json")).toString();
  const notes = { ductus_adapter: "1", adapter_config: settings, base_model_id: "some-other-model", base_model_sha256: "ab".repeat(32), name: "x", created_at: "1", run: "{}" };
  const bad: [what: string, name: string, bytes: Uint8Array, code: string, words: RegExp][] = [
    ["a text in an adapter's clothes", "poem.safetensors", Buffer.from(SHORT_TEXT), "adapter/unknown-form", /not an adapter that Ductus can read/],
    ["weights without settings", "bare.safetensors", peft("adapter_model.safetensors"), "adapter/no-settings", /not its settings/],
    ["one of ours for another base", "other.safetensors", emptySafetensors(notes), "adapter/other-model", /made for another model \(some-other-model/],
    ["one that PEFT made for another base", "peft.zip", zipSync({ "adapter_config.json": peft("adapter_config.json"), "adapter_model.safetensors": peft("adapter_model.safetensors") }), "adapter/shapes", /does not fit the model in use/],
    ["a zip of something else", "photos.zip", zipSync({ "readme.txt": new Uint8Array([65]) }), "adapter/zip", /has no adapter_config\.json/],
    ["an adapter cut short", "half.zip", zipSync({ "adapter_config.json": peft("adapter_config.json"), "adapter_model.safetensors": peft("adapter_model.safetensors").subarray(0, 3000) }), "adapter/damaged", /damaged/],
  ];
  for (const [what, name, bytes, code, words] of bad) {
    await test.step(what, async () => {
      await page.getByTestId("import-adapter").setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(bytes) });
      await expectRefused(page, code, words);
      expect(await stored(page)).toEqual(before);
      await expect(page.getByTestId("adapter")).toHaveCount(0);
    });
  }
  await page.goto("/train");
  await expectState(page, "idle"); // it can still learn
  seen.expectClean();
});
