import { expect, test } from "@playwright/test";
test("worker", async ({ page }) => {
  const urls: string[] = [];
  page.context().on("response", (r) => urls.push(`${r.status()} ${r.url()} ${String("content-security-policy" in r.headers())} ${r.headers()["cache-control"]}`));
  page.on("console", (m) => { console.log(m.type(), m.text()); });
  await page.goto("/");
  await page.getByRole("button").click();
  await expect(page.getByRole("button")).toContainText("refused", { timeout: 30000 });
  console.log(await page.getByRole("button").textContent());
  console.log(urls.join("\n"));
});
