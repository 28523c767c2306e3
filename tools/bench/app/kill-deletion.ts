/** Kills while a hand is deleted. Afterwards it is there with everything under it, or gone with everything; where it is there it can be deleted, and another hand beside it has lost nothing. */
import type { BrowserContext, Page } from "@playwright/test";
import { putAdapter } from "../../../e2e/adapter-file";
import { contentsOf } from "./contents";
import { killAfter, openTab } from "./kill-tools";
import type { Kills, Round } from "./kills";
import { beginWith, PAGE_TIMEOUT_MS, prepare, RUN_TIMEOUT_MS, SHORT_TEXT } from "./run-page";
import { halves, losses, under, wholeOrGone } from "./survival";

/** So many that deleting them takes a while. */
const PIECES = 1500;
/** Of the time that a deletion takes: some kills come when it has just ended. */
const BEYOND = 1.2;

const many = (): string => Array.from({ length: PIECES }, (_, i) => `${JSON.stringify({ title: `Note ${i}`, text: `Note ${i} of the mill. ${i * 7919} sacks came in before the rain, and ${i * 104729} went out after it.` })}\n`).join("");

/** Opens a hand by name on its writing page, and asks for its deletion, up to the last question. */
async function askToDelete(page: Page, address: string, name: string): Promise<void> {
  await page.goto(`${address}/writing`, { timeout: PAGE_TIMEOUT_MS });
  await page.getByTestId("hand-name").click({ timeout: PAGE_TIMEOUT_MS });
  await page.locator("#hands").getByText(name, { exact: true }).click({ timeout: PAGE_TIMEOUT_MS });
  await page.getByTestId("hand-name").filter({ hasText: name }).click({ timeout: PAGE_TIMEOUT_MS });
  await page.getByRole("button", { name: "Delete this one…" }).click({ timeout: PAGE_TIMEOUT_MS });
  await page.getByTestId("confirm").waitFor({ timeout: PAGE_TIMEOUT_MS });
}

const confirm = (page: Page): Promise<void> => page.getByTestId("confirm").click({ timeout: PAGE_TIMEOUT_MS, noWaitAfter: true });
/** The start page follows upon a deletion. */
const untilGone = (page: Page): Promise<void> => page.waitForURL((url) => url.pathname === "/", { timeout: RUN_TIMEOUT_MS });

/** A hand of many pieces with a run and an adapter. @returns its id */
async function makeHand(context: BrowserContext, address: string, name: string): Promise<string> {
  const page = await openTab(context);
  await beginWith(page, address, `${name}.jsonl`, many());
  const hand = (await contentsOf(context, address))["hands"]?.find(({ value }) => value["name"] === name);
  if (hand === undefined) throw new Error(`The hand “${name}” was not made.`);
  await putAdapter(page, String(hand.value["id"]), name);
  await page.close();
  return String(hand.value["id"]);
}

export async function* duringDeletion({ browser, address, moments, progress }: Kills): AsyncIterable<Round> {
  const context = await browser.newContext();
  try {
    await prepare(context);
    const first = await openTab(context);
    await beginWith(first, address, "beside.txt", SHORT_TEXT);
    await putAdapter(first, String((await contentsOf(context, address))["hands"]?.[0]?.value["id"]), "Beside");
    await first.close();

    await makeHand(context, address, "Mill 0");
    const page = await openTab(context);
    await askToDelete(page, address, "Mill 0");
    const startedAt = performance.now();
    await confirm(page);
    await untilGone(page);
    const ms = performance.now() - startedAt;
    await page.close();
    progress(`without a kill ${Math.round(ms)} ms`);
    for (const [i, moment] of moments.entries()) yield await round(context, address, `Mill ${i + 1}`, BEYOND * moment * ms);
  } finally {
    await context.close();
  }
}

async function round(context: BrowserContext, address: string, name: string, afterMs: number): Promise<Round> {
  const handId = await makeHand(context, address, name);
  const before = await contentsOf(context, address);
  const page = await openTab(context);
  await askToDelete(page, address, name);
  const confirmed = confirm(page).catch(() => undefined); // the page may die under it
  await killAfter(context.browser()!, page, afterMs);
  await confirmed;
  const killed = await contentsOf(context, address);
  const { state, wrong } = wholeOrGone(under(before, handId), under(killed, handId));
  wrong.push(...halves(killed));
  const reopened = await openTab(context);
  if (state !== "gone") {
    await askToDelete(reopened, address, name);
    await confirm(reopened);
    await untilGone(reopened);
  } else await reopened.goto(address, { timeout: PAGE_TIMEOUT_MS });
  await reopened.getByTestId("drop-input").waitFor({ state: "attached", timeout: PAGE_TIMEOUT_MS });
  await reopened.close();
  const after = await contentsOf(context, address);
  const left = under(after, handId);
  if (left.length > 0) wrong.push(`${left.length} records of it are left after it was deleted again`);
  const mine = new Set(under(before, handId));
  const others = Object.fromEntries(Object.entries(before).map(([store, entries]) => [store, entries.filter(({ key }) => !mine.has(`${store} ${key}`))]));
  wrong.push(...losses(others, after), ...halves(after));
  return { at: `after ${Math.round(afterMs)} ms, ${state}`, wrong };
}
