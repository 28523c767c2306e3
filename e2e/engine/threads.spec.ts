/** The number of threads: chosen by timing each candidate in a worker of its own, and equal bits from equal numbers. */
import { expect } from "@playwright/test";
import { calibrateThreads } from "../../lib/train/runtime/threads";
import { test, tinyCase } from "./fixture";

test("each candidate is timed in a worker of its own, and one of them is chosen", async ({ openEngine }) => {
  const candidates = [1, 2];
  const { threads, times } = await calibrateThreads(async (wanted) => {
    const engine = await openEngine();
    const timed = await engine.call("timeThreads", wanted);
    expect(timed.threads).toBe(wanted);
    if (wanted === 2) expect((await engine.call("timeThreads", 1)).threads).toBe(2); // a worker keeps what it was started with
    return timed.ms;
  }, candidates);
  expect(times.map((time) => time.threads)).toEqual(candidates);
  for (const { ms } of times) expect(ms).toBeGreaterThan(0);
  expect(candidates).toContain(threads);
});

test("the same number of threads gives the same bits in another worker", async ({ openEngine }) => {
  const tiny = tinyCase("qwen3-untied");
  const [first, second] = [await (await openEngine()).call("measure", "wasm", 2, tiny, false), await (await openEngine()).call("measure", "wasm", 2, tiny, false)];
  expect(second).toEqual(first);
});
