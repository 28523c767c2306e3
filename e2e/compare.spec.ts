/**
 * Compare: what was measured, with its intervals, stopped and gone on with; a
 * blind judging by keyboard, left and come back to; and several prompts read one
 * after another. Adapters are put into the store: how they are made is tested
 * elsewhere.
 */
import { expect, test, type Page } from "@playwright/test";
import { putAdapter } from "./adapter-file";
import { beginWith, compareFrom, download, giveFile, goTo, OWN_TEXT, RUN_TIMEOUT_MS } from "./person";
import { stored } from "./stored";
import { watch } from "./watch";

/** A hand with two adapters, its compare page open. */
async function openCompare(page: Page): Promise<void> {
  await beginWith(page, "night-bread.txt", OWN_TEXT);
  const { hands } = await stored(page);
  await putAdapter(page, hands[0]!.id, "Anna", 0.1);
  await putAdapter(page, hands[0]!.id, "Berta", 0.1);
  // What was learned is what is there: of a run that has no hash nothing else is known.
  await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => { const request = indexedDB.open("ductus"); request.onsuccess = () => resolve(request.result); });
    const runs = database.transaction("runs", "readwrite").objectStore("runs");
    const all = await new Promise<Record<string, unknown>[]>((resolve) => { const request = runs.getAll() as IDBRequest<Record<string, unknown>[]>; request.onsuccess = () => resolve(request.result); });
    for (const run of all) runs.put({ ...run, dataHash: "" });
    await new Promise((resolve) => { runs.transaction.oncomplete = resolve; });
    database.close();
  });
  await page.goto("/compare");
  await expect(page.getByRole("heading", { name: "Before and after" })).toBeVisible();
}

/** As if so many pairs had been written before the stop: all of them would take long. */
const putPairs = (page: Page, count: number): Promise<void> =>
  page.evaluate(async (n) => {
    const database = await new Promise<IDBDatabase>((resolve) => { const request = indexedDB.open("ductus"); request.onsuccess = () => resolve(request.result); });
    const judgings = database.transaction("judgings", "readwrite").objectStore("judgings");
    const [draft] = await new Promise<{ state: object }[]>((resolve) => { const request = judgings.getAll() as IDBRequest<{ state: object }[]>; request.onsuccess = () => resolve(request.result); });
    const pairs = Array.from({ length: n }, (_, i) => ({ id: String(i + 1), prompt: `The loaf number ${i + 1}`, base: `went into the cold oven at ${i + 1}`, tuned: `came out of the warm oven at ${i + 1}` }));
    judgings.put({ ...draft, state: { ...draft!.state, pairs } });
    await new Promise((resolve) => { judgings.transaction.oncomplete = resolve; });
    database.close();
  }, count);

test("measured: with intervals, stopped and gone on with, kept, another one beside it", async ({ page, context, baseURL }) => {
  test.setTimeout(RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await openCompare(page);
  await page.getByTestId("part-measured").click();
  await expect(page).toHaveURL(/#measured$/);
  await expect(page.getByTestId("scores-result")).toContainText("Perplexity");

  await test.step("stopped: what is done is kept, and goes on from there", async () => {
    await page.getByTestId("measure").click();
    await expect(page.getByTestId("measure-progress")).toContainText("Writing on from passages", { timeout: RUN_TIMEOUT_MS });
    await page.getByTestId("measure-stop").click();
    await expect(page.getByTestId("measure")).toHaveText("Go on measuring", { timeout: RUN_TIMEOUT_MS });
    await expect(page.getByTestId("measure-perplexity")).toContainText("Before");
    await page.getByTestId("measure").click();
    await expect(page.getByTestId("scores")).toHaveAttribute("data-whole", "true", { timeout: RUN_TIMEOUT_MS });
    await page.reload();
    await expect(page.getByTestId("scores")).toHaveAttribute("data-whole", "true");
    await expect(page.getByTestId("measure")).toHaveCount(0);
  });

  await test.step("every measure has its lines and says what they rest on", async () => {
    const { adapters } = await stored(page);
    const { base, tuned } = adapters.find(({ name }) => name === "Berta")!.report!;
    expect(tuned.loss).not.toBe(3.5); // no longer what was put there
    await expect(page.getByTestId("measure-loss")).toContainText(base.loss.toFixed(3));
    await expect(page.getByTestId("measure-loss")).toContainText(tuned.loss.toFixed(3));
    for (const id of ["perplexity", "loss", "bits"]) await expect(page.getByTestId(`measure-${id}`).getByRole("rowheader", { name: /^(Before|After)$/ })).toHaveCount(2);
    for (const id of ["distinct-1", "distinct-2", "distinct-3", "repeated", "alike", "copied"]) await expect(page.getByTestId(`measure-${id}`).getByRole("rowheader", { name: /^(You|Before|After)$/ })).toHaveCount(3);
    await expect(page.getByTestId("scores")).toContainText(/passages? of 1 piece/);
  });

  await test.step("another adapter, measured with the base that is known, stands beside it", async () => {
    await page.getByLabel("Taught by").selectOption({ index: 1 });
    await page.getByTestId("measure").click();
    await expect(page.getByTestId("scores")).toHaveAttribute("data-whole", "true", { timeout: RUN_TIMEOUT_MS });
    await page.getByLabel(/^Berta/).check();
    await expect(page.getByTestId("measure-perplexity").getByRole("rowheader", { name: "Berta" })).toBeVisible();
    await expect(page.getByTestId("measure-distinct-2").getByRole("rowheader")).toHaveCount(5);
  });

  await test.step("once the writing has changed, the figures are those from before", async () => {
    await goTo(page, "Writing");
    await giveFile(page, "more.txt", "The boats came back early on Friday, before the rain had reached the harbour wall. My aunt counted them from the kitchen window, as she did each week, and wrote their names on the back of a calendar. One of them was missing, and she put the kettle on without saying which.");
    await expect(page.getByRole("navigation", { name: "Pieces" }).getByRole("listitem")).toHaveCount(2);
    await goTo(page, "Compare");
    await expect(page.getByTestId("measure-stale")).toBeVisible();
    await expect(page.getByTestId("measure")).toHaveText("Measure again");
  });
  seen.expectClean();
});

test("judged blind, by keyboard: stopped, left and come back to, undone, uncovered, taken away", async ({ page, context, baseURL }) => {
  test.setTimeout(RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await openCompare(page);
  await page.getByTestId("part-judge").click();
  await page.getByLabel("Pairs").selectOption("10");

  await test.step("the writing of the pairs is stopped, and goes on with those that are there", async () => {
    await page.getByTestId("judge-begin").click();
    await page.getByTestId("judge-stop").click();
    await expect(page.getByTestId("judge-draft")).toBeVisible({ timeout: RUN_TIMEOUT_MS });
    await putPairs(page, 8);
    await page.reload();
    await expect(page.getByTestId("judge-draft")).toContainText("8 of 10 pairs are written");
    await page.getByTestId("judge-go-on").click();
    await expect(page.getByTestId("judge-card")).toBeVisible({ timeout: RUN_TIMEOUT_MS });
  });

  const card = page.getByTestId("judge-card");
  await test.step("keys choose; nothing says which is whose, or how it stands", async () => {
    await expect(page.getByTestId("judge-left-text")).not.toBeEmpty();
    const around = await page.getByTestId("judge").evaluate((shown) => {
      const copy = shown.cloneNode(true) as HTMLElement;
      for (const text of copy.querySelectorAll("blockquote, .page-text")) text.remove();
      return copy.outerHTML;
    });
    expect(around).toContain("judge-right");
    expect(around).not.toMatch(/before|after|taught|tuned|base/i);
    const total = Number(/of (\d+)/.exec(await page.getByRole("heading", { name: /^Pair 1 of/ }).innerText())![1]);
    for (const [i, key] of ["ArrowLeft", "2", "Space", "ArrowRight", "Backspace"].entries()) {
      await page.keyboard.press(key);
      await expect(card).toHaveAttribute("data-done", String(key === "Backspace" ? i - 1 : i + 1));
    }
    expect(total).toBeGreaterThan(8);
  });

  await test.step("it is there where it was left", async () => {
    await goTo(page, "Train");
    await goTo(page, "Compare");
    await expect(card).toHaveAttribute("data-done", "3");
    await page.reload();
    await expect(card).toHaveAttribute("data-done", "3");
    await page.getByTestId("judge-right").click();
    await expect(card).toHaveAttribute("data-done", "4");
  });

  await test.step("ended: the result, every pair uncovered, and both files", async () => {
    await page.getByTestId("judge-end").click();
    await expect(page.getByTestId("judge-words")).toContainText(/^You preferred the taught model.s text in \d of 4 .*once you could not tell.*This could be chance\./);
    await expect(page.getByTestId("judge-uncovered")).toHaveCount(4);
    await page.getByTestId("judge-uncovered").first().click();
    await expect(page.getByRole("heading", { name: /^(Before|After) your choice$/ })).toBeVisible();
    const json = JSON.parse((await download(page, page.getByTestId("judge-json"))).bytes.toString()) as { result: { judged: number }; judgements: Record<string, unknown>[] };
    expect(json.result.judged).toBe(4);
    expect(json.judgements[0]).not.toHaveProperty("prompt");
    await page.getByTestId("judge-with-texts").check();
    const csv = (await download(page, page.getByTestId("judge-csv"))).bytes.toString();
    expect(csv).toMatch(/^card,pairId,left,choice,preferred,prompt,leftText,rightText\r\n1,/);
  });

  await test.step("another one can be begun, and this one deleted", async () => {
    await page.getByTestId("judge-another").click();
    await expect(page.getByTestId("judge-begin")).toBeEnabled();
    await page.getByTestId("judge-other").click();
    await page.getByTestId("judge-delete").click();
    await page.getByTestId("confirm").click();
    await expect(page.getByTestId("judge-begin")).toBeEnabled();
    await expect(page.getByTestId("judge-other")).toHaveCount(0);
  });
  seen.expectClean();
});

test("read: prompts one after another stay on the page, through its parts and other screens", async ({ page, context, baseURL }) => {
  test.setTimeout(RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await openCompare(page);
  await page.getByLabel("Length").fill("30");
  await page.getByTestId("compare-run").click();
  await expect(page.getByTestId("pages")).toHaveAttribute("data-state", "done", { timeout: RUN_TIMEOUT_MS });
  const next = await page.getByTestId("true-text").innerText();
  const first = await page.getByTestId("tuned-text").innerText();
  const passage = await page.getByTestId("prompt-passage").innerText();
  await expect(page.getByTestId("told")).toHaveCount(0);
  await page.getByLabel("Seed").fill("2");
  await expect(page.getByTestId("told").locator("blockquote")).toHaveText(passage, { useInnerText: true });
  const second = await compareFrom(page, "The oven was cold when I came down.");
  await expect(page.getByTestId("earlier-pages")).toHaveCount(1);
  await expect(page.getByTestId("told")).toHaveCount(0);
  await expect(page.getByTestId("earlier-told").locator("blockquote")).toHaveText(passage, { useInnerText: true });
  await expect(page.getByTestId("earlier-tuned-text")).toHaveText(first, { useInnerText: true });
  await expect(page.getByTestId("earlier-true-text")).toHaveText(next, { useInnerText: true });
  await page.getByTestId("part-judge").click();
  await goTo(page, "Train");
  await goTo(page, "Compare");
  await page.getByTestId("part-read").click();
  await expect(page.getByTestId("tuned-text")).toHaveText(second.tuned, { useInnerText: true });
  await expect(page.getByLabel("Lines to go on from")).toHaveValue("The oven was cold when I came down.");
  await page.getByTestId("clear-earlier").click();
  await expect(page.getByTestId("earlier")).toHaveCount(0);
  await expect(page.getByTestId("tuned-text")).toHaveText(second.tuned, { useInnerText: true });
  seen.expectClean();
});
