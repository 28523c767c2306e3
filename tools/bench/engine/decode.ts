/** Writing speed of the smallest size, in a tab and in Node, a round of each in turn. */
import { availableParallelism } from "node:os";
import { openNode } from "../../../lib/train/runtime/node";
import { median, type Measure } from "../measure";
import { SIZES } from "./sizes";
import { rounded, takingTurns } from "./steps";
import { DECODE_BATCH, DECODE_PROMPT, DECODE_STEPS, DecodeSubject } from "./subject";
import { openTab } from "./tab";

export const DECODE_NAME = "engine.decode.nano";
const ROUNDS = 7;

export async function measureDecode(rounds = ROUNDS): Promise<Measure> {
  try {
    const tab = await openTab();
    try {
      const threads = availableParallelism();
      const node = await DecodeSubject.create(openNode(threads), SIZES.nano);
      await tab.call("openDecoder", "nano");
      const [inTab, inNode] = await takingTurns([() => tab.call("decode"), () => node.run()], rounds) as [number[], number[]];
      await node.dispose();
      const value = median(inTab);
      const baseline = median(inNode);
      return {
        name: DECODE_NAME, value: rounded(value), unit: "tokens/s", baseline: rounded(baseline), ratio: rounded(value / baseline),
        low: rounded(Math.min(...inTab)), high: rounded(Math.max(...inTab)), n: rounds,
        note: `f32, ${DECODE_BATCH} rows, ${DECODE_STEPS} greedy steps after ${DECODE_PROMPT} tokens, adapter unmerged; tab: Chromium ${tab.version}, wasm, ${tab.threads} threads; baseline: Node ${process.versions.node}, ${threads} threads`,
      };
    } finally {
      await tab.close();
    }
  } catch (error) {
    return { name: DECODE_NAME, value: null, unit: "tokens/s", error: error instanceof Error ? error.message : String(error) };
  }
}
