/** The site as files (`npm run build:static`, which `npm test` runs before these tests): on a host that serves folders it does the same. */
import { existsSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { securityHeaders } from "../security-headers";
import { expectState, goTo, startTraining } from "./person";
import { startStaticHost } from "./static-host";
import { watch } from "./watch";

test("from a folder of files: isolated, guarded, and it trains", async ({ context, page }) => {
  expect(existsSync("out/_headers"), "out/ is missing: npm run build:static").toBe(true);
  const host = await startStaticHost("out");
  try {
    const seen = await watch(context, host.address);
    const response = await page.goto(host.address);
    for (const { key, value } of securityHeaders(false)) {
      const sent = response?.headers()[key.toLowerCase()];
      if (key === "Content-Security-Policy") expect(sent).toMatch(/script-src 'self' 'wasm-unsafe-eval' 'sha256-.*connect-src 'self'/);
      else expect(sent, key).toBe(value);
    }
    const policyOf = async (path: string): Promise<string> => (await page.request.get(host.address + path)).headers()["content-security-policy"] ?? "";
    expect(await policyOf("/hub"), "one policy, not two").toMatch(/^default-src [^,]*connect-src 'self' https:\/\/huggingface\.co https:\/\/\*\.hf\.co; [^,]*$/);
    for (const path of ["/", "/models", "/HUB", "/hub/", "/nowhere"]) expect(await policyOf(path), path).toMatch(/^default-src [^,]*connect-src 'self'; [^,]*$/);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await page.getByTestId("sample-allotment").click();
    await expect(page).toHaveURL(/\/writing$/);
    await startTraining(page);
    await expectState(page, "training");
    // Another screen and back, without a new page: the run goes on.
    await page.evaluate(() => ((window as { same?: true }).same = true));
    await goTo(page, "Writing");
    await goTo(page, "Train");
    await expectState(page, "training");
    expect(await page.evaluate(() => (window as { same?: true }).same)).toBe(true);
    seen.expectClean();
  } finally {
    await host.stop();
  }
});
