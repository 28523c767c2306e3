/** A model of one's own, from a dropped folder: refused in words where it cannot be used, kept with 4 bits, trained, killed, gone on with, deleted. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { killRenderer } from "./kill";
import { TINY, writeModelFolder } from "./model-folder";
import { answer, bringIn, dropFolder, goOn, modelFiles, teachIt } from "./own-model";
import { beginWith, expectState, goTo, OWN_TEXT, RUN_TIMEOUT_MS } from "./person";
import { stored } from "./stored";
import { watch } from "./watch";

const EMBEDDED = fileURLToPath(new URL("../public/models/ductus-base", import.meta.url));
const SECOND = "model-00002-of-00002.safetensors";

let folder: string;
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ductus-model-"));
  writeModelFolder(join(folder, "Tiny-Qwen"), TINY);
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the good folder, made bad. */
function bad(name: string, spoil: (path: string) => void): string {
  const path = join(folder, name);
  cpSync(join(folder, "Tiny-Qwen"), path, { recursive: true });
  spoil(path);
  return path;
}

test("folders that cannot be used are refused in words, and leave nothing behind", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  await page.goto("/models");
  await expect(page.getByTestId("model-folder")).toBeEnabled();
  const refusals: [what: string, path: string, code: string, words: RegExp][] = [
    ["another architecture", bad("other-kind", (path) => {
      const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as Record<string, unknown>;
      writeFileSync(join(path, "config.json"), JSON.stringify({ ...config, model_type: "gpt_neox" }));
    }), "model/unsupported", /gpt_neox/],
    ["a missing shard", bad("missing", (path) => rmSync(join(path, SECOND))), "model/missing-file", /model-00002-of-00002\.safetensors is missing/],
    ["a shard cut short", bad("cut", (path) => truncateSync(join(path, SECOND), 50_000)), "model/damaged", /is damaged/],
    ["no settings", bad("bare", (path) => rmSync(join(path, "config.json"))), "model/no-config", /no config\.json/],
  ];
  for (const [what, path, code, words] of refusals) {
    await test.step(what, async () => {
      await dropFolder(page, path);
      await expect(page.getByTestId("error")).toHaveAttribute("data-code", code);
      await expect(page.getByTestId("error")).toContainText(words);
    });
  }

  await test.step("a number that is none, found while it is read", async () => {
    await dropFolder(page, bad("not-finite", (path) => {
      const bytes = readFileSync(join(path, SECOND));
      bytes.writeUInt16LE(0x7fc0, bytes.length - 2);
      writeFileSync(join(path, SECOND), bytes);
    }));
    await answer(page).waitFor();
    await page.getByTestId("model-take").click();
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "model/damaged");
    await expect(page.getByTestId("error")).toContainText(/not a number/);
  });

  await test.step("the model that comes with the site", async () => {
    await dropFolder(page, EMBEDDED);
    await answer(page).and(page.getByTestId("model-offer")).waitFor();
    await page.getByTestId("model-take").click();
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "model/embedded");
  });
  await expect(page.getByTestId("model")).toHaveCount(0);
  expect(await modelFiles(page)).toEqual([]);

  await test.step("one that is good goes with everything that is deleted", async () => {
    await dropFolder(page, join(folder, "Tiny-Qwen"));
    await bringIn(page, "8-bit");
    await expect(page.getByRole("heading", { name: "Bring in one of your own" })).toBeFocused(); // and not lost with the button
    expect(await modelFiles(page)).not.toEqual([]);
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByTestId("delete-everything").click();
    await page.getByTestId("confirm").click();
    await expect(page).toHaveURL(/\/$/);
    expect(await modelFiles(page)).toEqual([]);
  });
  seen.expectClean();
});

test("a dropped folder, held with 4 bits, is trained, survives the death of its renderer, and goes on to the same numbers", async ({ page, context, browser, baseURL }) => {
  test.setTimeout(2 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  page.on("dialog", (dialog) => void dialog.accept());
  await beginWith(page, "night-bread.txt", OWN_TEXT);

  await test.step("dropped on any page, it is offered; brought in, it is kept in 4 bits", async () => {
    await dropFolder(page, join(folder, "Tiny-Qwen"));
    await expect(page).toHaveURL(/\/models$/);
    await expect(page.getByTestId("model-offer")).toContainText(/Tiny-Qwen.*qwen2 · 610,\d+ parameters · 1\.2 MB to read · apache-2\.0/s);
    await bringIn(page, "4-bit");
    const files = await modelFiles(page);
    expect(files.map(({ name }) => name).sort()).toEqual(["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]);
    // 5 bits a weight, 9 for those of the embedding, and a header.
    expect(files.find(({ name }) => name === "model.safetensors")!.bytes).toBeLessThan(0.7e6);
    await teachIt(page);
  });

  await test.step("after a reload it is there", async () => {
    await page.reload();
    await expect(page.getByTestId("model")).toContainText(/Tiny-Qwen.*4-bit/s);
    await page.getByRole("link", { name: "Back to training" }).click();
    await expect(page.getByTestId("hand-model")).toHaveText("Tiny-Qwen");
  });

  await page.getByTestId("start-training").click();
  await expectState(page, "training");
  // As soon as there is a checkpoint: such a small model is through in seconds.
  await expect.poll(async () => {
    const [run] = (await stored(page)).runs;
    return run?.status === "running" ? (run.checkpointStep ?? 0) > 0 : `the run is ${run?.status}`;
  }, { timeout: RUN_TIMEOUT_MS, intervals: [20] }).not.toBe(false);
  expect((await stored(page)).runs[0]).toMatchObject({ status: "running" });
  seen.expectClean();
  const before = await stored(page);
  await killRenderer(browser, page);

  const reopened = await context.newPage();
  await test.step("without its model it cannot go on, and says so; with it, brought in anew, it can", async () => {
    await reopened.goto("/models");
    await reopened.getByTestId("delete-model").click();
    await reopened.getByTestId("confirm").click();
    await expect(reopened.getByTestId("model")).toHaveCount(0);
    await goTo(reopened, "Train");
    await expect(reopened.getByTestId("run-model-gone")).toContainText("“Tiny-Qwen”, which is no longer in this browser");
    await expect(reopened.getByTestId("go-on")).toBeDisabled();
    await reopened.getByTestId("run-model-gone").getByRole("link").click();
    await dropFolder(reopened, join(folder, "Tiny-Qwen"));
    await bringIn(reopened, "4-bit");
  });

  await test.step("it goes on from its checkpoint to its end, and repeats what it had done", async () => {
    await reopened.goto("/train");
    await expectState(reopened, "interrupted");
    const from = await goOn(reopened);
    expect(from).toBeGreaterThanOrEqual(before.runs[0]!.checkpointStep!);
    await expect(reopened.getByTestId("execution")).toContainText("4-bit weights");
    await expectState(reopened, "finished", RUN_TIMEOUT_MS);
    const after = await stored(reopened);
    expect(after.runs).toHaveLength(1);
    const [run] = after.runs;
    expect(run).toMatchObject({ status: "finished", modelId: "Tiny-Qwen", execution: { storage: "q4" } });
    expect(run).not.toHaveProperty("checkpointStep");
    const steps = after.metrics.filter(({ kind }) => kind === "train");
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: run!.totalSteps }, (_, i) => i + 1));
    const point = ({ kind, step, loss }: (typeof after.metrics)[number]) => `${kind} ${step} ${loss}`;
    expect(after.metrics.map(point)).toEqual(expect.arrayContaining(before.metrics.map(point)));
  });

  await test.step("compare opens the model that the adapter was made for, and says so when it is gone", async () => {
    await goTo(reopened, "Compare");
    await reopened.getByTestId("compare-run").click();
    await expect(reopened.getByTestId("pages")).toHaveAttribute("data-state", "done", { timeout: RUN_TIMEOUT_MS });
    await reopened.goto("/models");
    await reopened.getByTestId("delete-model").click();
    await reopened.getByTestId("confirm").click();
    await expect(reopened.getByTestId("model-gone")).toContainText("it is no longer here");
    expect(await modelFiles(reopened)).toEqual([]);
    await goTo(reopened, "Compare");
    await reopened.getByTestId("compare-run").click();
    await expect(reopened.getByTestId("error")).toHaveAttribute("data-code", "model/gone");
    await goTo(reopened, "Train");
    await expect(reopened.getByTestId("start-training")).toBeDisabled();
  });
});
