/** Five streamed steps of the half-billion size on 4-bit weights in a fresh tab: time, and the most memory it took. */
import { median, type Measure } from "../measure";
import { PLANS, rounded } from "./steps";
import { openTab } from "./tab";

const STEPS = 5;

export const Q4_NAMES = { step: "engine.step.q05_4bit", heap: "engine.heap.q05", rss: "engine.rss.q05" } as const;

export async function* measureQ4(wants: (name: string) => boolean): AsyncIterable<Measure> {
  try {
    const tab = await openTab();
    try {
      const opened = performance.now();
      const plan = await tab.call("openTrainer", "q05", "q4", PLANS.recompute);
      const openMs = performance.now() - opened;
      const times: number[] = [];
      const losses: number[] = [];
      for (let step = 0; step < STEPS; step++) {
        const { ms, loss } = await tab.call("step");
        times.push(ms);
        losses.push(loss);
      }
      const note = `Chromium ${tab.version}, wasm, ${tab.threads} threads; ${plan}, 4-bit weights, 1 × 128 tokens, ${STEPS} steps; ${rounded(openMs / 1000)} s to make and quantise the weights`;
      if (wants(Q4_NAMES.step)) yield { name: Q4_NAMES.step, value: rounded(median(times)), unit: "ms", low: rounded(Math.min(...times)), high: rounded(Math.max(...times)), n: STEPS, note: `${note}; losses ${losses.map((loss) => loss.toFixed(4)).join(", ")}` };
      if (wants(Q4_NAMES.heap)) yield { name: Q4_NAMES.heap, value: rounded((await tab.call("wasmBytes")) / 1e6), unit: "MB", note: `${note}; a wasm heap never shrinks, so this is its peak` };
      if (wants(Q4_NAMES.rss)) yield { name: Q4_NAMES.rss, value: rounded((await tab.peakRssBytes()) / 1e6), unit: "MB", note: `${note}; VmHWM of the renderer` };
    } finally {
      await tab.close();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    for (const [key, unit] of [["step", "ms"], ["heap", "MB"], ["rss", "MB"]] as const) {
      if (wants(Q4_NAMES[key])) yield { name: Q4_NAMES[key], value: null, unit, error: message };
    }
  }
}
