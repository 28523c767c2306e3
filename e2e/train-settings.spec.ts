/**
 * How a run is set, and what is done with runs afterwards, as a person does it:
 * the dial and what it foretells, every setting, settings out to a file and in
 * again, a run with one of its own, its samples side by side, an earlier state
 * kept, teaching further, names, two runs compared, a run saved as data.
 */
import { expect, test, type Page } from "@playwright/test";
import { beginWith, download, dropOn, expectState, goTo, RUN_TIMEOUT_MS, SHORT_TEXT } from "./person";
import { readTensors } from "./safetensors";
import { stored } from "./stored";
import { watch } from "./watch";

const json = (bytes: Buffer): Record<string, unknown> => JSON.parse(bytes.toString()) as Record<string, unknown>;
const setting = (page: Page, name: string) => page.getByTestId(`setting-${name}`);

/** Chooses a file of settings. */
async function loadSettings(page: Page, content: unknown): Promise<void> {
  await page.getByTestId("config-file").setInputFiles({ name: "settings.json", mimeType: "application/json", buffer: Buffer.from(typeof content === "string" ? content : JSON.stringify(content)) });
}

async function openAdvanced(page: Page): Promise<void> {
  await page.getByTestId("advanced").click();
  await expect(page.getByTestId("settings-panel")).toBeVisible();
}

test("dial, every setting, files, a run with own settings, its states, two runs compared", async ({ page, context, baseURL }) => {
  test.setTimeout(3 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await beginWith(page, "night-bread.txt", SHORT_TEXT);
  await page.getByTestId("teach").click();

  await test.step("the dial says what it will do, and how long it will take", async () => {
    const forecast = page.getByTestId("forecast");
    await expect(page.getByTestId("dial-balanced")).toBeChecked();
    await expect(forecast).toHaveAttribute("data-state", "ready", { timeout: RUN_TIMEOUT_MS });
    await expect(forecast).toContainText(/(seconds|minute|minutes|hours).*; uses about [\d.]+ [MG]B\./);
    const balanced = Number(/(\d+) steps? on/.exec(await forecast.innerText())?.[1]);
    await page.getByTestId("dial-balanced").press("ArrowLeft");
    await expect(page.getByTestId("dial-quick")).toBeChecked();
    await expect(page.getByTestId("dial")).toContainText("Quick: passes (epochs)");
    await expect.poll(async () => Number(/(\d+) steps? on/.exec(await forecast.innerText())?.[1])).toBeLessThan(balanced);
    await page.getByTestId("dial-balanced").check();
  });

  await test.step("Advanced: searched, changed, marked, out of range, back to the dial's", async () => {
    await openAdvanced(page);
    await page.getByTestId("settings-search").fill("memory of small batches");
    await expect(page.getByText("No setting has that")).toHaveCount(0);
    await page.getByTestId("settings-search").fill("learning_rate");
    await expect(setting(page, "learning_rate")).toBeVisible();
    await expect(setting(page, "r")).toHaveCount(0);
    const rate = setting(page, "learning_rate").getByRole("textbox");
    await rate.fill("0.002");
    await expect(page.getByTestId("own-settings")).toContainText("Learning rate: 0.002, by the dial 0.006");
    await rate.fill("-1");
    await expect(setting(page, "learning_rate")).toContainText("The learning rate must be a number, 0 or more.");
    await expect(page.getByTestId("start-training")).toBeDisabled();
    await rate.fill("0.002");
    await expect(page.getByTestId("start-training")).toBeEnabled();
    await setting(page, "learning_rate").getByRole("button", { name: "Learning rate: back to the dial’s" }).click();
    await expect(rate).toHaveValue("0.006");
    await expect(page.getByTestId("own-settings")).toHaveCount(0);
    await page.getByTestId("settings-search").fill("");
  });

  await test.step("settings go out to a file and come in again; an unknown name is refused with the valid ones", async () => {
    await setting(page, "max_steps").getByRole("textbox").fill("4");
    await setting(page, "evaluations").getByRole("textbox").fill("2");
    const file = await download(page, page.getByTestId("save-config"));
    expect(file.name).toBe("night-bread-settings.json");
    expect(json(file.bytes)).toMatchObject({ max_steps: 4, evaluations: 2, learning_rate: 0.006, r: 8 });
    await page.getByTestId("reset-all").click();
    await expect(page.getByTestId("own-settings")).toHaveCount(0);

    await loadSettings(page, { ...json(file.bytes), learning_rat: 0.1 });
    const error = page.getByTestId("settings-panel").getByTestId("error");
    await expect(error).toHaveAttribute("data-code", "train/settings");
    await expect(error).toContainText("learning_rat");
    await expect(error).toContainText("num_train_epochs");
    await loadSettings(page, { ...json(file.bytes), r: 0 });
    await expect(error).toContainText("r must be a whole number from 1 to 1024");
    await loadSettings(page, "not json");
    await expect(error).toContainText("cannot be read as JSON");
    await expect(page.getByTestId("own-settings")).toHaveCount(0);

    await dropOn(page, "settings.json", file.bytes);
    await expect(error).toHaveCount(0);
    await expect(page.getByTestId("config-taken")).toContainText("was read");
    await expect(page.getByTestId("own-settings")).toContainText("Number of steps: 4 steps");
    expect(json((await download(page, page.getByTestId("save-config"))).bytes)).toEqual(json(file.bytes));
  });

  await test.step("they outlive a reload, and come by a link", async () => {
    await page.getByTestId("config-link").click();
    const address = (await page.getByTestId("config-address").innerText()).trim();
    expect(address).not.toContain("bread");
    await page.reload();
    await expect(page.getByTestId("own-settings")).toContainText("Number of steps: 4 steps");
    await page.getByTestId("reset-all").click();
    await page.goto("/models");
    await page.goto(address);
    await expect(page.getByTestId("own-settings")).toContainText("Number of steps: 4 steps");
    await expect(page.getByTestId("own-settings")).toContainText("Number of checks: 2 checks");
    await expect(page).toHaveURL(/\/train$/);
  });

  await test.step("the run is made with them, and says how it goes", async () => {
    await page.getByTestId("start-training").click();
    await expect(page.getByTestId("agreement")).toBeVisible();
    await expectState(page, "finished", RUN_TIMEOUT_MS);
    const { runs, metrics, samples } = await stored(page);
    expect(runs[0]).toMatchObject({ step: 4, totalSteps: 4, config: { maxSteps: 4, evaluations: 2 }, writing: { words: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    const heldOut = metrics.filter(({ kind }) => kind === "heldout");
    expect(heldOut.map(({ step }) => step)).toEqual([0, 2, 4]);
    for (const { examples } of heldOut) expect(examples).toBeGreaterThan(0);
    expect(samples.map(({ step }) => step)).toEqual([0, 2, 4]);
  });

  await test.step("any two samples are read side by side", async () => {
    await expect(page.getByTestId("latest-sample")).not.toBeEmpty();
    const { samples } = await stored(page);
    await expect(page.getByRole("heading", { name: "Before any training" })).toBeVisible();
    await page.getByTestId("strip-left").getByLabel("After step 2").check({ force: true });
    await expect(page.getByRole("heading", { name: "After step 2" })).toBeVisible();
    await page.getByTestId("strip-right").getByLabel("Before any training").check({ force: true });
    await expect(page.getByTestId("latest-sample")).toHaveText(samples[0]!.text);
  });

  const earlier = await test.step("an earlier state is kept as an adapter of its own", async () => {
    await expect(page.getByTestId("kept-state")).toHaveCount(2);
    await expect(page.locator("[data-testid=kept-state][data-recommended=true]")).toHaveCount(1);
    await page.getByTestId("keep-state").click();
    await expect(page.getByTestId("kept-states")).toContainText(/Kept as “night-bread, step \d”/);
    const { runs, adapters } = await stored(page);
    expect(adapters).toHaveLength(2);
    expect(runs[0]!.adapterId).toBe(adapters[0]!.id); // the run still points at what it came to
    await goTo(page, "Take away");
    const step = adapters[1]!.name.at(-1)!;
    const { bytes } = await download(page, page.getByTestId("adapter").filter({ hasText: adapters[1]!.name }).getByTestId("download-adapter"));
    expect(JSON.parse(readTensors(bytes).metadata["run"]!)).toMatchObject({ steps: Number(step) });
    await goTo(page, "Train");
    return adapters[1]!;
  });

  await test.step("it is taught further, from that state", async () => {
    await page.getByTestId("set-up").click();
    await page.getByTestId("begin-with").selectOption(earlier.id);
    await openAdvanced(page);
    await expect(setting(page, "r").getByRole("textbox")).toBeDisabled();
    await setting(page, "max_steps").getByRole("textbox").fill("2");
    await page.getByTestId("start-training").click();
    await expectState(page, "finished", RUN_TIMEOUT_MS);
    const { runs, metrics } = await stored(page);
    expect(runs[1]).toMatchObject({ step: 2, start: { name: earlier.name, adapterId: earlier.id } });
    const at = (runId: string, step: number) => metrics.find((point) => point.runId === runId && point.kind === "heldout" && point.step === step)!.loss;
    // It begins where that state was.
    expect(at(runs[1]!.id, 0)).toBeCloseTo(at(runs[0]!.id, Number(earlier.name.at(-1))), 4);
  });

  await test.step("a run gets a name; two are compared", async () => {
    await page.getByTestId("rename-run").click();
    await page.getByLabel("Name of the run").fill("A second look");
    await page.getByRole("button", { name: "Rename it" }).click();
    await expect(page.getByTestId("history")).toContainText("A second look");
    await page.getByTestId("compare-with").selectOption({ index: 1 });
    await expect(page.getByTestId("comparison")).toContainText("“A second look” beside");
    await expect(page.getByTestId("comparison-table")).toContainText("Number of steps");
    await expect(page.getByTestId("comparison-table")).toContainText("Began from");
    await expect(page.getByTestId("comparison-result")).toContainText("Lowest loss on what was kept aside");
    await page.getByTestId("comparison").getByLabel("tokens learned from").check();
    await expect(page.getByTestId("comparison-curve").locator("canvas")).toBeVisible();
  });

  await test.step("a run is saved as data, and deleted", async () => {
    const { runs, metrics, samples, adapters } = await stored(page);
    await page.getByTestId("export-run").click();
    const data = json((await download(page, page.getByTestId("export-json"))).bytes);
    expect(data).toMatchObject({ format: "ductus-run", id: runs[1]!.id, name: null, config: { max_steps: 2 }, started_from: { adapter: true } });
    expect(JSON.stringify(data)).not.toContain(JSON.stringify(samples[0]!.prompt).slice(1, -1));
    await page.getByLabel(/with the lines it was asked with/).check();
    expect(json((await download(page, page.getByTestId("export-json"))).bytes)).toMatchObject({ name: "A second look", samples: [{ step: 0, prompt: samples[0]!.prompt }, {}, {}] });
    const curve = (await download(page, page.getByTestId("export-csv"))).bytes.toString().trim().split("\r\n");
    expect(curve).toHaveLength(1 + metrics.filter(({ runId }) => runId === runs[1]!.id).length);
    await page.getByTestId("delete-run").click();
    await page.getByTestId("confirm").click();
    await expect(page.getByTestId("history")).not.toContainText("A second look");
    const after = await stored(page);
    expect(after.runs.map(({ id }) => id)).toEqual([runs[0]!.id]);
    expect(after.metrics.every(({ runId }) => runId === runs[0]!.id)).toBe(true);
    expect(after.adapters.map(({ id }) => id)).toEqual(adapters.map(({ id }) => id)); // what it taught stays
  });
  seen.expectClean();
});
