/** Kills while the model answers in a conversation. Afterwards every turn that had ended is there, the adapter's file is the same, and what was asked can be answered. */
import type { Page } from "@playwright/test";
import { putAdapter } from "../../../e2e/adapter-file";
import { contentsOf, type Contents } from "./contents";
import { killAfter, openTab } from "./kill-tools";
import type { Kills, Round } from "./kills";
import { beginWith, OWN_TEXT, PAGE_TIMEOUT_MS, prepare, RUN_TIMEOUT_MS, SHORT_TEXT } from "./run-page";
import { changedFiles, halves, losses } from "./survival";

const QUESTIONS = ["What did you do today?", "Tell me of the bread.", "Who came in the night?", "And what did the river do?"];
const ADAPTER = "Night bread";

interface Turn {
  id: string;
  role: string;
  text: string;
}

const turnsOf = (contents: Contents): Turn[] => (contents["conversations"] ?? []).flatMap(({ value }) => value["turns"] as Turn[]);

async function openChat(context: Parameters<typeof openTab>[0], address: string): Promise<Page> {
  const page = await openTab(context);
  await page.goto(`${address}/chat`, { timeout: PAGE_TIMEOUT_MS });
  await page.getByTestId("composer").waitFor({ timeout: PAGE_TIMEOUT_MS });
  return page;
}

const ask = async (page: Page, words: string): Promise<void> => {
  await page.getByTestId("composer").fill(words);
  await page.getByTestId("composer").press("Enter");
};
const idle = (page: Page): Promise<void> => page.getByTestId("send").waitFor({ timeout: RUN_TIMEOUT_MS });

export async function* duringAnswer({ browser, address, moments, progress }: Kills): AsyncIterable<Round> {
  const context = await browser.newContext();
  try {
    await prepare(context);
    const first = await openTab(context);
    await beginWith(first, address, "night-bread.txt", SHORT_TEXT);
    const handId = String((await contentsOf(context, address))["hands"]?.[0]?.value["id"]);
    await putAdapter(first, handId, ADAPTER);
    await first.close();
    const chat = await openChat(context, address);
    const startedAt = performance.now();
    await ask(chat, OWN_TEXT.slice(0, 200));
    await chat.getByTestId("stop").waitFor({ timeout: PAGE_TIMEOUT_MS }).catch(() => undefined); // it was quicker than a look
    await idle(chat);
    const ms = performance.now() - startedAt;
    await chat.close();
    progress(`without a kill ${Math.round(ms)} ms`);
    for (const [i, moment] of moments.entries()) {
      const before = await contentsOf(context, address);
      const page = await openChat(context, address);
      const question = `${QUESTIONS[i % QUESTIONS.length]!} (${i + 1})`;
      await ask(page, question);
      await killAfter(browser, page, moment * ms);
      const killed = await contentsOf(context, address);
      const wrong = [...losses(before, killed), ...changedFiles(before, killed), ...halves(killed)];
      const added = turnsOf(killed).slice(turnsOf(before).length);
      const isOurs = added.length <= 2 && added.every(({ role, text }, place) => (place === 0 ? role === "user" && text === question : role === "assistant" && text !== ""));
      if (!isOurs) wrong.push(`turns that nobody wrote: ${JSON.stringify(added).slice(0, 200)}`);
      wrong.push(...(await answered(await openChat(context, address), question, added.length)));
      const after = await contentsOf(context, address);
      wrong.push(...losses(killed, after), ...changedFiles(killed, after), ...halves(after));
      const asked = turnsOf(after).findIndex(({ text }) => text === question);
      if (asked < 0 || !turnsOf(after).slice(asked + 1).some(({ role }) => role === "assistant")) wrong.push("what was asked has no answer");
      yield { at: `after ${Math.round(moment * ms)} ms, ${["before the question was kept", "with the question kept", "when it was answered"][added.length] ?? "?"}`, wrong };
    }
  } finally {
    await context.close();
  }
}

/** Has what was cut off answered: asked again where it had not been kept, else by the page's own button. @param kept turns that there were of it */
async function answered(page: Page, question: string, kept: number): Promise<string[]> {
  try {
    if (kept >= 2) return [];
    if (kept === 0) await ask(page, question);
    else await page.getByTestId("answer").click({ timeout: PAGE_TIMEOUT_MS });
    await page.getByTestId("live-text").waitFor({ timeout: PAGE_TIMEOUT_MS }).catch(() => undefined); // it was quicker than a look
    await idle(page);
    return [];
  } catch (error) {
    return [`it could not be answered: ${error instanceof Error ? error.message : String(error)}`];
  } finally {
    await page.close();
  }
}
