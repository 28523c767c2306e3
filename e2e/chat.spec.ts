/**
 * Chat as a person uses it: with the model as it came and with one that was
 * taught, side by side, in all three ways of asking; stopped, asked again,
 * edited, copied, gone back to; in two tabs; and after the renderer was killed.
 * The adapter is one of random factors: it only has to write otherwise.
 */
import { readFileSync } from "node:fs";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { zipSync } from "fflate";
import type { Conversation } from "../lib/store/types";
import { killRenderer } from "./kill";
import { beginWith, OWN_TEXT, RUN_TIMEOUT_MS, SHORT_TEXT, START_TIMEOUT_MS } from "./person";
import { writeTensors } from "./safetensors";
import { watch } from "./watch";

const { hidden_size: WIDTH, num_hidden_layers: LAYERS, num_attention_heads: HEADS, head_dim: HEAD } = JSON.parse(readFileSync(new URL("../public/models/ductus-base/config.json", import.meta.url), "utf8")) as Record<"hidden_size" | "num_hidden_layers" | "num_attention_heads" | "head_dim", number>;

function adapter(): Buffer {
  const values = (length: number, step: number) => Float32Array.from({ length }, (_, i) => 0.2 * Math.sin(i * step));
  const tensors = Array.from({ length: LAYERS }, (_, layer) => {
    const at = `base_model.model.model.layers.${layer}.self_attn.q_proj`;
    return [{ name: `${at}.lora_A.weight`, shape: [2, WIDTH], data: values(2 * WIDTH, 1.7 + layer) }, { name: `${at}.lora_B.weight`, shape: [HEADS * HEAD, 2], data: values(HEADS * HEAD * 2, 2.9 + layer) }];
  }).flat();
  return Buffer.from(zipSync({
    "adapter_config.json": Buffer.from(JSON.stringify({ peft_type: "LORA", task_type: "CAUSAL_LM", r: 2, lora_alpha: 2, target_modules: ["q_proj"] })),
    "adapter_model.safetensors": writeTensors(tensors),
  }));
}

/** Read past the app's own code. */
function conversations(page: Page): Promise<Conversation[]> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("The database refused."));
    });
    const database = await settled(indexedDB.open("ductus"));
    const all = await settled(database.transaction("conversations").objectStore("conversations").getAll() as IDBRequest<Conversation[]>);
    database.close();
    return all.sort((a, b) => b.updatedAt - a.updatedAt);
  });
}

const composer = (page: Page): Locator => page.getByTestId("composer");
const answers = (page: Page, voice: "base" | "tuned"): Locator => page.locator(`[data-testid=answer-text][data-voice=${voice}]`);
const idle = (page: Page) => expect(page.getByTestId("send")).toBeVisible({ timeout: START_TIMEOUT_MS });

async function say(page: Page, words: string): Promise<void> {
  await composer(page).fill(words);
  await composer(page).press("Enter");
  await expect(composer(page)).toHaveValue("");
  await idle(page);
}

async function length(page: Page, tokens: number): Promise<void> {
  const slider = page.getByLabel(/^Length/);
  if (!(await slider.isVisible())) await page.getByTestId("settings").click();
  await slider.fill(String(tokens));
}

/** Asks for an answer that does not soon come to an end by itself: long, and by unlikely words. */
async function rambling(page: Page): Promise<void> {
  await length(page, 400);
  await page.getByLabel(/^Boldness/).fill("1.5");
}

/** Until some of an answer is there: looked for with every frame, since a quick machine has written all of it in a second. */
async function untilWriting(page: Page): Promise<void> {
  await page.waitForFunction(() => (document.querySelector("[data-testid=live-text]")?.textContent.length ?? 0) > 10, undefined, { timeout: START_TIMEOUT_MS });
}

/** Every text that the live answer has shown, by its length. */
async function noteLengths(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const lengths: number[] = [];
    new MutationObserver(() => {
      const text = document.querySelector("[data-testid=live-text]")?.textContent.length ?? 0;
      if (text > 0 && lengths.at(-1) !== text) lengths.push(text);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
    (window as unknown as { lengths: number[] }).lengths = lengths;
  });
  return () => page.evaluate(() => (window as unknown as { lengths: number[] }).lengths);
}

test("chat: base and taught, again, edited, stopped, copied, kept, in two tabs, after a kill", async ({ page, context, browser, baseURL }) => {
  test.setTimeout(2 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: baseURL! });
  const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

  await test.step("without a hand it says what to do", async () => {
    await page.goto("/chat");
    await expect(page.getByRole("heading", { name: "There is nobody to talk with yet" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Begin with some writing" })).toBeVisible();
  });

  await test.step("without an adapter the model answers as it came, bit by bit, and it is stored", async () => {
    await beginWith(page, "night-bread.txt", SHORT_TEXT);
    await page.goto("/chat");
    await expect(page.getByText("It has not been taught this hand yet")).toBeVisible();
    await expect(page.getByTestId("who")).toHaveCount(0);
    await expect(page.getByTestId("send")).toBeDisabled();
    await length(page, 30);
    const lengths = await noteLengths(page);
    await composer(page).fill("Good morning.");
    await composer(page).press("Shift+Enter");
    await composer(page).pressSequentially("How are you?");
    await composer(page).press("Enter");
    await idle(page);
    expect((await lengths()).length, "more than once between nothing and the whole").toBeGreaterThan(1); // a quick machine needs few
    await expect(page.getByTestId("chat-title")).toHaveText("Good morning.");
    await expect(page.getByTestId("said")).toContainText("Good morning.\nHow are you?");
    const text = await answers(page, "base").innerText();
    await expect.poll(() => conversations(page)).toMatchObject([{ turns: [{ role: "user", text: "Good morning.\nHow are you?" }, { role: "assistant", voice: "base", text }] }]);
  });

  await test.step("an adapter is brought in: both answer side by side, from one seed, and differ", async () => {
    await page.goto("/share");
    await page.getByTestId("import-adapter").setInputFiles({ name: "other.zip", mimeType: "application/zip", buffer: adapter() });
    await expect(page.getByTestId("import-status")).toContainText("It fits", { timeout: START_TIMEOUT_MS });
    await page.goto("/chat");
    await expect(page.getByTestId("chat-title")).toHaveText("Good morning."); // where it was left
    await page.getByTestId("new-conversation").click();
    await expect(composer(page)).toBeFocused();
    await page.getByTestId("who").selectOption("both");
    await length(page, 30);
    await page.getByTestId("seed-fixed").check();
    await page.getByTestId("seed").fill("7");
    await say(page, "What did you do today?");
    const [turn] = (await conversations(page))[0]!.turns.slice(1);
    expect(turn).toMatchObject({ voice: "base", seed: 7, beside: { voice: "tuned" }, sampling: { maxNewTokens: 30 } });
    expect(turn!.text).not.toBe(turn!.beside!.text);
    await expect(answers(page, "base")).toHaveText(turn!.text);
    await expect(answers(page, "tuned")).toHaveText(turn!.beside!.text);
    const [left, right] = [await answers(page, "base").boundingBox(), await answers(page, "tuned").boundingBox()];
    expect(right!.x).toBeGreaterThan(left!.x + left!.width);
  });

  await test.step("again: another seed, another text; the earlier one is a page back", async () => {
    const first = await answers(page, "tuned").innerText();
    await page.getByTestId("again").click();
    await idle(page);
    await expect(page.getByTestId("versions")).toContainText("2/2");
    const second = await answers(page, "tuned").innerText();
    expect(second).not.toBe(first);
    await page.getByRole("button", { name: "Earlier version of this answer" }).click();
    await expect(answers(page, "tuned")).toHaveText(first);
    await page.getByRole("button", { name: "Later version of this answer" }).click();
    await expect(answers(page, "tuned")).toHaveText(second);
    await expect.poll(async () => (await conversations(page))[0]!.turns).toHaveLength(3);
  });

  await test.step("the same words and seed in a new conversation: the same answer", async () => {
    await page.getByRole("button", { name: "Earlier version of this answer" }).click();
    const first = await answers(page, "tuned").innerText();
    await page.getByTestId("new-conversation").click();
    await say(page, "What did you do today?");
    await expect(answers(page, "tuned")).toHaveText(first);
  });

  await test.step("a message is edited; how it was, and its answer, are kept", async () => {
    await page.getByTestId("who").selectOption("tuned");
    const before = await answers(page, "tuned").innerText();
    await page.getByTestId("edit").click();
    await expect(page.getByTestId("edit-field")).toBeFocused();
    await page.getByTestId("edit-field").fill("What did you eat today?");
    await page.getByTestId("edit-field").press("Enter");
    await idle(page);
    await expect(page.getByTestId("said")).toContainText("What did you eat today?");
    await expect(answers(page, "tuned")).not.toHaveText(before);
    await page.getByRole("button", { name: "Earlier version of this message" }).click();
    await expect(page.getByTestId("said")).toContainText("What did you do today?");
    await expect(answers(page, "tuned")).toHaveText(before);
  });

  await test.step("one message is copied, and all of it", async () => {
    const [base, tuned] = [await answers(page, "base").innerText(), await answers(page, "tuned").innerText()];
    await page.getByTestId("answer-turn").getByRole("button", { name: "Copy this" }).last().click();
    await expect.poll(copied).toBe(tuned);
    await page.getByRole("button", { name: "Copy all" }).click();
    await expect.poll(copied).toMatch(/^You: /);
    const whole = (await copied()).replaceAll(" […]", ""); // where it came to its length
    expect(whole).toBe(`You: What did you do today?\n\nAs it came: ${base}\n\nTaught: ${tuned}`);
  });

  await test.step("Escape stops: what was written stays, marked, and is stored", async () => {
    await page.getByTestId("new-conversation").click();
    await page.getByTestId("who").selectOption("tuned");
    await rambling(page);
    await page.getByText("Go on with my text").click();
    await composer(page).fill(OWN_TEXT.slice(0, 400));
    await composer(page).press("Enter");
    await untilWriting(page);
    await page.keyboard.press("Escape");
    await idle(page);
    await expect(page.getByTestId("unfinished")).toHaveText("Unfinished: stopped.");
    const text = await answers(page, "tuned").innerText();
    expect(text.length).toBeGreaterThan(10);
    await expect.poll(async () => (await conversations(page))[0]!.turns.at(-1)).toMatchObject({ text, unfinished: true, stop: "stopped" });
  });

  await test.step("a text goes on further; another is written from key words", async () => {
    await length(page, 30);
    await page.getByTestId("go-on").click();
    await idle(page);
    await expect(answers(page, "tuned")).toHaveCount(2);
    await page.getByText("From key words").click();
    await say(page, "bread, oven, night");
    await expect(answers(page, "tuned")).toHaveCount(3);
    const { turns } = (await conversations(page))[0]!;
    expect(turns.map(({ role, form }) => form ?? role)).toEqual(["continue", "assistant", "assistant", "keywords", "assistant"]);
  });

  await test.step("a conversation longer than the model looks back: it says where its sight begins", async () => {
    await page.getByTestId("new-conversation").click();
    await page.getByText("Talk", { exact: true }).click();
    for (const [from, to] of [[0, 2400], [2400, 4800]] as const) await say(page, OWN_TEXT.slice(from, to));
    await expect(page.getByTestId("forgotten")).toContainText("too far back");
    expect((await conversations(page))[0]!.turns.at(-1)!.forgotten).toBeGreaterThan(0);
  });

  const second = await context.newPage();
  await test.step("a second tab shows what happens in the first, and what it deletes can be kept", async () => {
    await page.getByTestId("new-conversation").click();
    await say(page, "One.");
    await second.goto("/chat");
    await expect(second.getByTestId("chat-title")).toHaveText("One.");
    await say(page, "Two.");
    await expect(second.getByTestId("said")).toHaveCount(2);
    await expect(answers(second, "tuned")).toHaveCount(2);
    await second.getByTestId("delete-conversation").click();
    await second.getByTestId("confirm").click();
    await expect(page.getByTestId("deleted-elsewhere")).toBeVisible();
    await expect(second.getByTestId("chat-title")).toHaveText("Chat");
    const others = (await conversations(page)).length;
    await page.getByRole("button", { name: "Keep it after all" }).click();
    await expect(page.getByTestId("deleted-elsewhere")).toHaveCount(0);
    await expect.poll(async () => (await conversations(page)).length).toBe(others + 1);
    await expect(second.getByTestId("conversation").first()).toContainText("One.");
  });

  await test.step("earlier ones are gone back to and go on", async () => {
    await page.getByTestId("conversation").filter({ hasText: "Good morning." }).click();
    await expect(page.getByTestId("chat-title")).toHaveText("Good morning.");
    await say(page, "And now?");
    await expect(page.getByTestId("answer-turn")).toHaveCount(2);
    await page.reload();
    await expect(page.getByTestId("chat-title")).toHaveText("Good morning.");
    await expect(page.getByTestId("answer-turn")).toHaveCount(2);
    await expect(page.getByTestId("who")).toHaveValue("tuned"); // remembered
  });

  await test.step("the model that its adapter was made for is gone: the hand's own is offered, as it came", async () => {
    await page.evaluate(async () => {
      const settled = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
      const store = (await settled(indexedDB.open("ductus"))).transaction("adapters", "readwrite").objectStore("adapters");
      const [stored] = await settled(store.getAll() as IDBRequest<object[]>);
      await settled(store.put({ ...stored, modelId: "Other-0.5B", modelSha256: "ab".repeat(32) }));
    });
    await page.getByTestId("again").last().click();
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "model/gone", { timeout: START_TIMEOUT_MS });
    await page.getByRole("button", { name: "Ask the hand’s model as it came" }).click();
    await idle(page);
    await expect(page.getByTestId("error")).toHaveCount(0);
    await expect(answers(page, "base")).toHaveCount(2);
  });

  await test.step("its adapter is deleted in another tab: the model answers as it came", async () => {
    await page.getByRole("button", { name: "Earlier version of this answer" }).last().click();
    await second.goto("/share");
    await second.getByTestId("delete-adapter").click();
    await second.getByTestId("confirm").click();
    await expect(page.getByTestId("adapter-gone")).toContainText("no longer here");
    await say(page, "Still there?");
    await expect(answers(page, "base")).toHaveCount(2);
    await second.close();
  });

  seen.expectClean();
  await test.step("a killed renderer costs the answer that was being written, and nothing else", async () => {
    await rambling(page);
    const before = await conversations(page);
    await page.getByText("Go on with my text").click();
    await composer(page).fill(OWN_TEXT.slice(0, 400));
    await composer(page).press("Enter");
    await untilWriting(page);
    await killRenderer(browser, page);
    const reopened = await context.newPage();
    await reopened.goto("/chat");
    await expect(reopened.getByTestId("chat-title")).toHaveText("Good morning.");
    const after = await conversations(reopened);
    expect(after.map(({ turns }) => turns.length).sort()).toEqual(before.map(({ turns }, i) => turns.length + (i === 0 ? 1 : 0)).sort());
    await expect(reopened.getByText("Not answered.")).toBeVisible();
    await length(reopened, 20);
    await reopened.getByTestId("answer").click();
    await idle(reopened);
    await expect(reopened.getByText("Not answered.")).toHaveCount(0);
  });
});
