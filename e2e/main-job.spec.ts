/**
 * The main job as a person does it, from the start page to the adapter and back:
 * a sample writer through a whole run of the default recipe, what is kept over a
 * reload, and all of it again with the network off. Odd beginnings and sudden
 * ends are in own-text.spec.ts and interruptions.spec.ts.
 */
import { expect, test, type Page } from "@playwright/test";
import { unzipSync } from "fflate";
import { compareFrom, download, expectPoints, expectState, giveFile, goTo, perplexities, points, RUN_TIMEOUT_MS, SHORT_TEXT, startTraining } from "./person";
import { readTensors } from "./safetensors";
import { countOf, stored } from "./stored";
import { watch } from "./watch";

const LINES = "I went down to the gate this morning and there was nobody about.";

/** Notes every phase that the page shows from now on. */
async function notePhases(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const phases: string[] = [];
    const note = () => {
      const state = document.querySelector<HTMLElement>("[data-testid=run-status]")?.dataset["state"];
      if (state !== undefined && phases.at(-1) !== state) phases.push(state);
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-state"] });
    (window as unknown as { phases: string[] }).phases = phases;
  });
  return () => page.evaluate(() => (window as unknown as { phases: string[] }).phases);
}

/** Notes how long each text has been whenever it changes, to tell that it came bit by bit. */
async function noteLengths(page: Page): Promise<() => Promise<Record<string, number[]>>> {
  await page.evaluate(() => {
    const lengths: Record<string, number[]> = { "base-text": [], "tuned-text": [] };
    const note = () => {
      for (const [id, seen] of Object.entries(lengths)) {
        const length = document.querySelector(`[data-testid=${id}]`)?.textContent.length ?? 0;
        if (length > 0 && seen.at(-1) !== length) seen.push(length);
      }
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
    (window as unknown as { lengths: typeof lengths }).lengths = lengths;
  });
  return () => page.evaluate(() => (window as unknown as { lengths: Record<string, number[]> }).lengths);
}

test("a sample writer: train, compare, take away, reload, network off, bring back, delete", async ({ page, context, baseURL }) => {
  test.setTimeout(3 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);

  await test.step("start: a sample writer is a click away", async () => {
    await page.goto("/");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.getByTestId("sample-allotment").click();
    await expect(page).toHaveURL(/\/writing$/);
  });

  await test.step("writing: the pieces, and how they are divided", async () => {
    const { documents } = await stored(page);
    const words = documents.reduce((sum, { words }) => sum + words, 0);
    expect(documents.length).toBeGreaterThanOrEqual(40);
    expect(words).toBeGreaterThanOrEqual(8000);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`${documents.length} pieces, ${words.toLocaleString("en-GB")} words`);
    await expect(page.getByRole("navigation", { name: "Pieces" }).getByRole("listitem")).toHaveCount(documents.length);
    await expect(page.getByText(/kept aside to check it while it learns/).first()).toBeVisible();
    await expect(page.getByRole("heading", { name: documents[0]!.name })).toBeVisible();
  });

  await test.step("train: phases, curve, a sample of its writing, time left", async () => {
    const phases = await notePhases(page);
    await startTraining(page);
    await expectState(page, "training");
    await expectPoints(page, 3);
    await expect(page.getByText(/^(About .*|A few seconds) left$/)).toBeVisible({ timeout: RUN_TIMEOUT_MS });
    expect((await page.getByTestId("latest-sample").innerText()).length).toBeGreaterThan(20);
    const early = await points(page);
    await expectPoints(page, early + 2);
    await expectState(page, "finished", RUN_TIMEOUT_MS);
    // A phase may be over sooner than it can be shown; their order holds.
    const shown = (await phases()).filter((phase) => phase !== "idle");
    expect(shown).toEqual(["loading", "checking", "preparing", "training", "finishing", "finished"].filter((phase) => shown.includes(phase)));
    expect(shown).toEqual(expect.arrayContaining(["loading", "training", "finished"]));
  });

  const trained = await test.step("finished: it is less surprised than before, and what is stored says the same", async () => {
    await expect(page.getByTestId("result")).toHaveText(/it is clearly less surprised by writing of this hand that it has never seen/);
    const [before, after] = await perplexities(page.getByTestId("result"));
    expect(after).toBeLessThan(before);
    const all = await stored(page);
    const run = all.runs[0]!;
    const { report } = all.adapters[0]!;
    expect(run).toMatchObject({ status: "finished", step: run.totalSteps, adapterId: all.adapters[0]!.id, device: { kind: "wasm" } });
    expect(1 - report!.tuned.loss / report!.base.loss).toBeGreaterThanOrEqual(0.08);
    expect(Math.exp(report!.tuned.loss)).toBeCloseTo(report!.tuned.perplexity, 3);
    expect(report!.tuned.tokens).toBe(report!.base.tokens);
    const heldOut = all.metrics.filter(({ kind }) => kind === "heldout").sort((a, b) => a.step - b.step);
    expect(heldOut.at(-1)!.loss).toBeLessThan(heldOut[0]!.loss);
    expect(all.metrics.filter(({ kind }) => kind === "train")).toHaveLength(run.totalSteps);
    expect(all.samples.length).toBe(heldOut.length);
    expect(await points(page)).toBe(all.metrics.length);
    return { all, run, handId: run.handId };
  });

  const written = await test.step("compare: both write from the same lines, bit by bit, and differ", async () => {
    await page.getByRole("link", { name: "Read before and after" }).click();
    await expect(page.getByRole("heading", { name: "Before and after" })).toBeVisible();
    await page.getByTestId("compare-run").click();
    await expect(page.getByTestId("pages")).toHaveAttribute("data-state", "done", { timeout: RUN_TIMEOUT_MS });
    await expect(page.getByTestId("true-text")).not.toBeEmpty();

    const lengths = await noteLengths(page);
    const texts = await compareFrom(page, LINES);
    expect(texts.base.length).toBeGreaterThan(20);
    expect(texts.tuned.length).toBeGreaterThan(20);
    expect(texts.tuned).not.toBe(texts.base);
    for (const seenLengths of Object.values(await lengths())) expect(seenLengths.length).toBeGreaterThan(3);
    const pages = page.getByTestId("pages");
    await expect(pages.getByRole("heading", { name: /^Before the model as it came/ })).toBeVisible();
    await expect(pages.getByRole("heading", { name: /^After taught by/ })).toBeVisible();
    await page.getByTestId("part-measured").click();
    const { base, tuned } = trained.all.adapters[0]!.report!;
    await expect(page.getByTestId("scores")).toContainText(base.loss.toFixed(3));
    await expect(page.getByTestId("scores")).toContainText(tuned.loss.toFixed(3));
    await expect(page.getByTestId("scores-result")).toContainText("Perplexity");
    await page.getByTestId("part-read").click();
    return texts;
  });

  const file = await test.step("take away: one file, and a folder for Python", async () => {
    await goTo(page, "Take away");
    const one = await download(page, page.getByTestId("download-adapter"));
    expect(one.name).toMatch(/\.safetensors$/);
    const { metadata, tensors } = readTensors(one.bytes);
    expect(metadata).toMatchObject({ ductus_adapter: "1", base_model_id: trained.run.modelId, base_model_sha256: trained.run.modelSha256 });
    const settings = JSON.parse(metadata["adapter_config"]!) as Record<string, unknown>;
    expect(settings).toMatchObject({ peft_type: "LORA", r: trained.run.config.lora.rank, lora_alpha: trained.run.config.lora.alpha });
    expect(tensors.size).toBeGreaterThan(0);
    for (const [name, { data, shape }] of tensors) {
      expect(name).toMatch(/^base_model\.model\.model\.layers\.\d+\.(self_attn|mlp)\.\w+_proj\.lora_[AB]\.weight$/);
      expect(data).toHaveLength(shape.reduce((a, b) => a * b, 1));
      expect(data.every(Number.isFinite), `${name} is finite`).toBe(true);
      expect(data.some((x) => x !== 0), `${name} has been trained`).toBe(true);
    }

    const zip = await download(page, page.getByTestId("download-peft"));
    expect(zip.name).toMatch(/\.zip$/);
    const folder = unzipSync(zip.bytes);
    const names = Object.keys(folder).map((name) => name.replace(/^.*\//, "")).sort();
    expect(names).toEqual(["README.md", "adapter_config.json", "adapter_model.safetensors"]);
    const content = (name: string) => Buffer.from(Object.entries(folder).find(([path]) => path.endsWith(name))![1]);
    expect(JSON.parse(content("adapter_config.json").toString())).toMatchObject({ peft_type: "LORA", r: trained.run.config.lora.rank });
    const peft = readTensors(content("adapter_model.safetensors")).tensors;
    expect([...peft.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, { data }] of peft) expect(data).toEqual(tensors.get(name)!.data);
    return one.bytes;
  });

  await test.step("reload: documents, run, curve, samples and adapter are still there", async () => {
    await page.reload();
    await expect(page.getByTestId("adapter")).toHaveCount(1);
    expect(await stored(page)).toEqual(trained.all);
    await goTo(page, "Train");
    await expectState(page, "finished");
    await expect(page.getByTestId("curve")).toHaveAttribute("data-points", String(trained.all.metrics.length));
    await expect(page.getByTestId("latest-sample")).not.toBeEmpty();
    const [before, after] = await perplexities(page.getByTestId("result"));
    expect(after).toBeLessThan(before);
    await goTo(page, "Writing");
    await expect(page.getByRole("navigation", { name: "Pieces" }).getByRole("listitem")).toHaveCount(trained.all.documents.length);
    await goTo(page, "Take away");
    expect((await download(page, page.getByTestId("download-adapter"))).bytes.equals(file)).toBe(true);
  });

  seen.expectClean();
  expect(seen.requests.some((url) => url.includes("/models/ductus-base/model.safetensors")), "the watch hears what workers ask for").toBe(true);
  await seen.goOffline();

  await test.step("network off: another writer is read, and learned", async () => {
    await page.getByRole("link", { name: "Ductus, start" }).click();
    await expect(page).toHaveURL(/:\d+\/$/);
    await expect(page.getByRole("heading", { name: "Here already" })).toBeVisible();
    await giveFile(page, "night-bread.txt", SHORT_TEXT);
    await expect(page).toHaveURL(/\/writing$/);
    await expect(page.getByTestId("hand-name")).toHaveText("night-bread");
    await startTraining(page);
    await expectState(page, "finished", RUN_TIMEOUT_MS);
    await expect(page.getByTestId("result")).toContainText("Perplexity");
  });

  await test.step("network off: the adapter, brought into this hand, writes what it wrote", async () => {
    await goTo(page, "Take away");
    await page.getByTestId("import-adapter").setInputFiles({ name: "allotment.safetensors", mimeType: "application/octet-stream", buffer: file });
    await expect(page.getByTestId("import-status")).toContainText("It fits the model", { timeout: RUN_TIMEOUT_MS });
    await expect(page.getByTestId("adapter")).toHaveCount(2);
    await goTo(page, "Compare");
    expect(await compareFrom(page, LINES)).toEqual(written);
  });

  await test.step("the first hand is deleted, with everything under it and nothing else", async () => {
    const before = await stored(page);
    const other = before.hands.find(({ id }) => id !== trained.handId)!;
    const kept = countOf(before, other.id);
    await page.getByTestId("hand-name").click();
    await page.locator("#hands").getByText(trained.all.hands[0]!.name).click();
    await page.getByTestId("hand-name").click();
    await page.getByRole("button", { name: "Delete this one…" }).click();
    await page.getByTestId("confirm").click();
    await expect(page).toHaveURL(/:\d+\/$/);
    const after = await stored(page);
    expect(countOf(after, trained.handId)).toEqual({ hands: 0, documents: 0, runs: 0, metrics: 0, samples: 0, adapters: 0, adapterFiles: 0, conversations: 0 });
    expect(countOf(after, other.id)).toEqual(kept);
  });
  seen.expectClean();
});
