/**
 * Adapters taken away and brought in: by someone who has nothing but the file,
 * dropped anywhere, of any rank; those that do not fit refused or told of; another
 * name, which takes the place of the old one in the file; and a card that holds
 * texts only where they are wanted.
 */
import { expect, test, type Page } from "@playwright/test";
import { strFromU8, unzipSync } from "fflate";
import { adapterFile, adapterZip, putAdapter } from "./adapter-file";
import { beginWith, download, dropOn, SHORT_TEXT, START_TIMEOUT_MS } from "./person";
import { readTensors } from "./safetensors";
import { stored } from "./stored";
import { watch } from "./watch";

const LONG = "The letters of my great-aunt, from the year of the flood until she left the island"; // 82 characters; 80 are kept

async function expectTaken(page: Page, words: RegExp): Promise<void> {
  await expect(page).toHaveURL(/\/share$/);
  await expect(page.getByTestId("import-status")).toHaveText(words, { timeout: START_TIMEOUT_MS });
}

test("a friend drops the file on the start page, and has a hand to write with", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  await page.goto("/share");
  await expect(page.getByRole("heading", { name: "There is nothing to take away yet" })).toBeVisible();
  await page.goto("/");
  await expect(page.getByTestId("sample-letters")).toBeEnabled();

  await test.step("a damaged one leaves nothing behind", async () => {
    await dropOn(page, "Mara.safetensors", adapterFile("Mara").subarray(0, 5000));
    await expect(page).toHaveURL(/\/share$/);
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "adapter/damaged", { timeout: START_TIMEOUT_MS });
    expect((await stored(page)).hands).toEqual([]);
  });

  await page.goto("/");
  await expect(page.getByTestId("sample-letters")).toBeEnabled();
  await dropOn(page, "Mara.safetensors", adapterFile("Mara", 3));
  await expectTaken(page, /^It fits the model, and is in the list\.$/);
  await expect(page.getByTestId("hand-name")).toHaveText("Mara");
  await expect(page.getByTestId("adapter")).toHaveCount(1);
  const all = await stored(page);
  expect(all.hands).toHaveLength(1);
  expect(all.adapters).toMatchObject([{ handId: all.hands[0]!.id, name: "Mara", modelId: "ductus-base" }]);
  seen.expectClean();
});

test("dropped anywhere, of any rank; another base is told of, and what is damaged refused", async ({ page, context, baseURL }) => {
  test.setTimeout(2 * START_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await beginWith(page, "night-bread.txt", SHORT_TEXT);

  await test.step("the folder for Python, chosen on the writing page", async () => {
    await page.getByTestId("drop-input").setInputFiles({ name: "rank-5.zip", mimeType: "application/zip", buffer: adapterZip("rank 5", 5) });
    await expectTaken(page, /^It fits the model, and is in the list\.$/);
    await expect(page.getByTestId("adapter")).toHaveCount(1);
    const saved = await download(page, page.getByTestId("download-adapter"));
    expect(JSON.parse(readTensors(saved.bytes).metadata["adapter_config"]!)).toMatchObject({ r: 5 });
  });

  await test.step("one whose settings name another model of the same shape", async () => {
    await dropOn(page, "other.zip", adapterZip("other", 2, "someone/tiny-qwen"));
    await expectTaken(page, /^It fits the shape of Ductus Base.*name “someone\/tiny-qwen” as its model, though/);
    await expect(page.getByTestId("adapter")).toHaveCount(2);
  });

  const before = await stored(page);
  for (const [what, name, bytes, code] of [
    ["a zip that was cut off", "cut.zip", adapterZip("cut").subarray(0, 9000), "adapter/zip"],
    ["a file that was cut off", "cut.safetensors", adapterFile("cut").subarray(0, -1), "adapter/damaged"],
    ["one of another version of the model", "version.safetensors", Buffer.from(adapterFile("version").toString("latin1").replace(/("base_model_sha256":")[0-9a-f]{64}/, `$1${"c".repeat(64)}`), "latin1"), "adapter/other-model"],
  ] as const) {
    await test.step(what, async () => {
      await page.getByTestId("import-adapter").setInputFiles({ name, mimeType: "application/octet-stream", buffer: bytes });
      await expect(page.getByTestId("error")).toHaveAttribute("data-code", code, { timeout: START_TIMEOUT_MS });
      expect(await stored(page)).toEqual(before);
    });
  }
  seen.expectClean();
});

test("another name goes with the files, and texts only where they are wanted", async ({ page, context, baseURL }) => {
  test.setTimeout(2 * START_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await beginWith(page, "night-bread.txt", SHORT_TEXT);
  const { hands } = await stored(page);
  await putAdapter(page, hands[0]!.id, "Anna of the mill");
  await page.goto("/share");

  await test.step("renamed, by keyboard", async () => {
    await page.getByTestId("rename-adapter").click();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("heading", { name: "Anna of the mill" })).toBeVisible();
    await expect(page.getByTestId("rename-adapter")).toBeFocused();
    await page.keyboard.press("Enter");
    await page.keyboard.type(LONG);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: LONG.slice(0, 80) })).toBeVisible();
    await page.reload();
    await expect(page.getByRole("heading", { name: LONG.slice(0, 80) })).toBeVisible();
  });

  await test.step("the old name is nowhere in the file", async () => {
    const { bytes, name } = await download(page, page.getByTestId("download-adapter"));
    expect(name).toMatch(/^the-letters-of-my-great-aunt/);
    expect(bytes.includes("Anna")).toBe(false);
    expect(readTensors(bytes).metadata["name"]).toBe(LONG.slice(0, 80));
    const original = readTensors(adapterFile("Anna of the mill")).tensors;
    for (const [tensor, { data }] of readTensors(bytes).tensors) expect(data).toEqual(original.get(tensor)!.data);
  });

  const card = async (): Promise<string> => strFromU8(unzipSync((await download(page, page.getByTestId("download-peft"))).bytes)["README.md"]!);
  await test.step("the card holds counts, and no line that anybody wrote", async () => {
    const text = await card();
    expect(text).toContain("| examples learned from | 41 |\n| examples kept aside to check it | 5 |");
    expect(text).toContain(`# ${LONG.slice(0, 80)}`);
    expect(text).not.toMatch(/The oven was lit|before anybody was awake|Anna/);
  });
  await test.step("with texts, where they are wanted", async () => {
    await page.getByTestId("with-texts").check();
    const text = await card();
    for (const part of ["The oven was lit", "and the river went by.", "before anybody was awake."]) expect(text).toContain(part);
  });
  seen.expectClean();
});
