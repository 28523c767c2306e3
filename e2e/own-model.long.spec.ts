/**
 * A checkpoint of Qwen2.5-0.5B's dimensions, some 1 GB of random bf16, dropped
 * as a folder: held with 4 bits, trained, killed in the middle and gone on with,
 * within the memory that a tab may take. Long mode only.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Browser, type Page, type Worker } from "@playwright/test";
import { killRenderer, renderers } from "./kill";
import { QWEN25_HALF_BILLION, writeModelFolder } from "./model-folder";
import { bringIn, dropFolder, goOn, modelFiles, teachIt } from "./own-model";
import { beginWith, expectState, OWN_TEXT } from "./person";
import { stored } from "./stored";
import { isOurs, watch } from "./watch";

test.skip(process.env["DUCTUS_LONG"] !== "1", "long mode only");

const MAX_HEAP_MB = 700;
const MAX_RSS_MB = 1800;
const HOUR_MS = 3_600_000;

declare global {
  var wasmMemories: WebAssembly.Memory[] | undefined;
}

/** Remembers every memory that a worker of the app makes from now on. */
function watchHeaps(page: Page): () => Promise<number> {
  const workers: Worker[] = [];
  page.on("worker", (worker) => {
    if (!isOurs(worker)) return;
    workers.push(worker);
    worker.evaluate(() => {
      const made = (globalThis.wasmMemories = [] as WebAssembly.Memory[]);
      WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
        construct(target, args: [WebAssembly.MemoryDescriptor]) {
          const memory = new target(...args);
          made.push(memory);
          return memory;
        },
      });
    }).catch(() => undefined);
  });
  return async () => {
    const sizes = await Promise.all(workers.map((worker) => worker.evaluate(() => (globalThis.wasmMemories ?? []).reduce((sum, { buffer }) => sum + buffer.byteLength, 0)).catch(() => 0)));
    return sizes.reduce((a, b) => a + b, 0) / 1e6;
  };
}

/** The most that any renderer has ever held, MB. */
async function peakRssMb(browser: Browser): Promise<number> {
  const peaks = (await renderers(browser)).map((pid) => {
    try {
      return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1.024e-3;
    } catch {
      return 0; // it has ended
    }
  });
  return Math.max(...peaks);
}

let folder: string;
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ductus-half-"));
  writeModelFolder(join(folder, "Qwen2.5-0.5B"), QWEN25_HALF_BILLION, 3);
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("Qwen2.5-0.5B's dimensions, with 4 bits: brought in, trained, killed, gone on with, within the memory of a tab", async ({ page, context, browser, baseURL }) => {
  test.setTimeout(2 * HOUR_MS);
  const seen = await watch(context, baseURL!);
  const peaks = { heapMb: 0, rssMb: 0 };
  let heapMb = watchHeaps(page);
  const measure = async (): Promise<void> => {
    peaks.heapMb = Math.max(peaks.heapMb, await heapMb());
    peaks.rssMb = Math.max(peaks.rssMb, await peakRssMb(browser));
  };
  page.on("dialog", (dialog) => void dialog.accept());
  await beginWith(page, "night-bread.txt", OWN_TEXT);

  await test.step("the folder is read by slices, with progress", async () => {
    await dropFolder(page, join(folder, "Qwen2.5-0.5B"));
    await expect(page.getByTestId("model-offer")).toContainText(/494 million parameters · 988 MB to read/, { timeout: 60_000 });
    await expect(page.getByTestId("model-offer").getByText(/^4-bit, 3\d\d MB in memory/)).toBeVisible();
    const done = new Set<string>();
    const added = bringIn(page, "4-bit");
    const progress = (async () => {
      while ((await page.getByTestId("model-added").count()) === 0) {
        done.add((await page.getByTestId("model-adding").getAttribute("data-done", { timeout: 1000 }).catch(() => null)) ?? "");
        await measure();
        await page.waitForTimeout(100);
      }
    })();
    await added;
    await progress;
    expect(done.size, "progress was shown").toBeGreaterThan(5);
    console.log(`brought in: ${(await modelFiles(page)).reduce((sum, { bytes }) => sum + bytes, 0) / 1e6} MB kept; renderer at most ${Math.round(peaks.rssMb)} MB`);
    await teachIt(page);
  });

  await page.getByRole("link", { name: "Back to training" }).click();
  await page.getByTestId("start-training").click();
  await expectState(page, "training", HOUR_MS);
  await expect(page.getByTestId("execution")).toContainText("Streamed, layer by layer");
  await expect.poll(async () => {
    await measure();
    const [run] = (await stored(page)).runs;
    return run!.step >= 2 && (run!.checkpointStep ?? 0) >= 1;
  }, { timeout: HOUR_MS }).toBe(true);
  const before = await stored(page);
  console.log(`killed at step ${before.runs[0]!.step}, checkpoint ${before.runs[0]!.checkpointStep}: heap ${Math.round(peaks.heapMb)} MB, renderer ${Math.round(peaks.rssMb)} MB`);
  seen.expectClean();
  await killRenderer(browser, page);

  const reopened = await context.newPage();
  heapMb = watchHeaps(reopened);
  await reopened.goto("/train");
  await expectState(reopened, "interrupted");
  expect(await goOn(reopened)).toBeGreaterThanOrEqual(1);
  await expect.poll(async () => {
    await measure();
    return (await stored(reopened)).runs[0]!.status;
  }, { timeout: HOUR_MS, intervals: [1000] }).toBe("finished");
  const after = await stored(reopened);
  const steps = after.metrics.filter(({ kind }) => kind === "train");
  expect(steps.length).toBeGreaterThanOrEqual(5);
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: after.runs[0]!.totalSteps }, (_, i) => i + 1));
  const point = ({ kind, step, loss }: (typeof after.metrics)[number]) => `${kind} ${step} ${loss}`;
  expect(after.metrics.map(point), "what came again is the same").toEqual(expect.arrayContaining(before.metrics.map(point)));
  console.log(`in all: heap ${Math.round(peaks.heapMb)} MB, renderer ${Math.round(peaks.rssMb)} MB, ${steps.length} steps, ${Math.round(after.runs[0]!.elapsedMs / 1000)} s`);
  expect(peaks.heapMb).toBeGreaterThan(10); // it was measured
  expect(peaks.heapMb).toBeLessThanOrEqual(MAX_HEAP_MB);
  expect(peaks.rssMb).toBeLessThanOrEqual(MAX_RSS_MB);
});
