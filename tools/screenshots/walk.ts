/** The way through the site on which the pictures are taken: every screen, empty, at work and full, and what can go wrong. */
import type { Page } from "@playwright/test";

const WAIT_MS = 1_200_000;
/** For a curve that shows something. */
const ENOUGH_POINTS = 25;
type Take = (name: string) => Promise<void>;

/** @param take is given a name for what is on the page now */
export async function walk(page: Page, address: string, take: Take): Promise<void> {
  page.setDefaultTimeout(WAIT_MS);
  const step = async (name: string): Promise<void> => {
    await page.getByRole("navigation", { name: "Steps" }).getByRole("link", { name: new RegExp(`^${name}`) }).click();
    await page.waitForURL((url) => url.pathname !== "/");
  };
  await page.goto(address);
  await page.locator("[data-testid=sample-allotment]:enabled").waitFor();
  await take("start");
  for (const empty of ["writing", "train", "compare", "chat", "share"]) {
    await page.goto(`${address}/${empty}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await take(`${empty}-empty`);
  }
  await page.goto(`${address}/nowhere`);
  await take("not-found");

  await page.goto(address);
  await page.getByTestId("drop-input").setInputFiles([
    { name: "broken.docx", mimeType: "application/octet-stream", buffer: Buffer.from("PK\u0003\u0004 and then nothing that belongs to an archive") },
    { name: "nothing.txt", mimeType: "text/plain", buffer: Buffer.from("") },
  ]);
  await page.getByTestId("error").first().waitFor();
  await take("start-refused");
  await page.goto(address);
  await page.getByTestId("sample-allotment").click();
  await page.getByTestId("teach").waitFor();
  await take("writing");

  await page.getByTestId("teach").click();
  await page.locator("[data-testid=forecast][data-state=ready]").waitFor();
  await take("train");
  await page.getByTestId("start-training").click();
  await page.locator("[data-testid=run-status][data-state=training]").waitFor();
  while (Number(await page.getByTestId("curve").getAttribute("data-points")) < ENOUGH_POINTS) await page.waitForTimeout(1000);
  await take("training");
  await page.getByTestId("pause-training").click();
  await page.locator("[data-testid=run-status][data-paused=true]").waitFor();
  await take("training-paused");
  await page.getByTestId("pause-training").click();
  await page.locator("[data-testid=run-status]:is([data-state=finished],[data-state=failed])").waitFor();
  await take("trained");

  await step("Compare");
  await page.getByTestId("compare-run").click();
  await page.locator("[data-testid=pages][data-state=done]").waitFor();
  await take("compare-read");
  await page.getByTestId("part-measured").click();
  await page.getByTestId("measure").click();
  await page.getByTestId("measure-progress").waitFor();
  await take("compare-measuring");
  await page.locator("[data-testid=scores][data-whole=true]").waitFor();
  await take("compare-measured");
  await page.getByTestId("part-judge").click();
  await page.getByLabel("Pairs").selectOption("10");
  await take("compare-judge");
  await page.getByTestId("judge-begin").click();
  await page.getByTestId("judge-card").waitFor();
  await take("compare-judging");

  await step("Chat");
  await page.getByTestId("who").selectOption("both");
  for (const words of ["What did you do today?", "And tomorrow?"]) {
    await page.getByTestId("composer").fill(words);
    await page.getByTestId("composer").press("Enter");
    await page.getByTestId("send").waitFor();
  }
  await take("chat");

  await step("Take away");
  await take("share");
  await page.getByTestId("settings-link").click();
  await page.getByTestId("storage-figures").waitFor();
  await take("settings");
  await page.goto(`${address}/models`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await take("models");
  await page.goto(address);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await take("start-returning");
}
