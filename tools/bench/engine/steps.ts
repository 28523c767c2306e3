/**
 * One train step of a size in a tab, in Node and in PyTorch: rounds of one step
 * each in turn, so that whatever else the machine does falls on all alike. The
 * plain product is timed in the tab between the rounds.
 */
import { availableParallelism } from "node:os";
import type { ExecutionPlan } from "../../../lib/train/execution/types";
import { countParameters } from "../../../lib/train/model/config";
import { adapterShapes } from "../../../lib/train/model/lora";
import { openNode } from "../../../lib/train/runtime/node";
import { median, type Measure } from "../measure";
import { mlpFlops, stepFlops } from "./flops";
import { openPeft } from "./peft";
import { modelOf, promptLength, RANK, sftConfig, SIZES, type SizeName } from "./sizes";
import { TrainSubject, type Stepped } from "./subject";
import { openTab } from "./tab";

const WARM_UP = 3;
const PRODUCTS = 20;
/** Lets the threads of one engine fall asleep before the next has its turn. */
const PAUSE_MS = 100;

export interface StepNames {
  tab: string;
  node: string;
  share: string;
}

export const PLANS = { whole: { kind: "whole", recompute: false }, streamed: { kind: "streamed", recompute: false }, recompute: { kind: "streamed", recompute: true } } as const;

export const stepNames = (size: SizeName): StepNames => ({ tab: `engine.step.${size}`, node: `engine.step.${size}.node`, share: `engine.gemm_share.${size}` });

interface Runner {
  name: "tab" | "node" | "peft";
  step: () => Promise<Stepped>;
  between?: () => Promise<void>;
}

/** Results of each runner, a run of each in turn, those of the warm-up left out. */
export async function takingTurns<T>(runners: readonly (() => Promise<T>)[], rounds: number): Promise<T[][]> {
  const results: T[][] = runners.map(() => []);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [i, runner] of runners.entries()) {
      const result = await runner();
      if (round >= 0) results[i]!.push(result);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
  return results;
}

/** Times of each, and the loss of its first step, which all take on other numbers but from equal distributions. */
async function takeSteps(runners: readonly Runner[], rounds: number): Promise<{ times: Record<Runner["name"], number[]>; losses: string[] }> {
  const losses = new Map<Runner["name"], number>();
  const turns = await takingTurns(runners.map(({ name, step, between }) => async () => {
    const { ms, loss } = await step();
    if (!losses.has(name)) losses.set(name, loss);
    await between?.();
    return ms;
  }), rounds);
  const of = (name: Runner["name"]): number[] => turns[runners.findIndex((runner) => runner.name === name)] ?? [];
  return { times: { tab: of("tab"), node: of("node"), peft: of("peft") }, losses: [...losses].map(([name, loss]) => `${name} ${loss.toFixed(4)}`) };
}

export const rounded = (value: number, digits = 4): number => Number(value.toPrecision(digits));

function stepLine(name: string, times: readonly number[], baseline: number | null, note: string): Measure {
  const value = median(times);
  return {
    name, value: rounded(value), unit: "ms", baseline: baseline === null ? null : rounded(baseline), ratio: baseline === null ? null : rounded(value / baseline),
    low: rounded(Math.min(...times)), high: rounded(Math.max(...times)), n: times.length, note,
  };
}

export interface StepOptions {
  /** Instead of the size's own number. */
  rounds?: number | undefined;
  /** Instead of the execution that the product chooses. */
  plan?: ExecutionPlan | undefined;
}

/** The measures of a size that are wanted. */
export async function* measureSteps(name: SizeName, wants: (name: string) => boolean, { rounds = SIZES[name].rounds, plan }: StepOptions = {}): AsyncIterable<Measure> {
  const size = SIZES[name];
  const names = stepNames(name);
  const model = modelOf(size);
  const closing: (() => unknown)[] = [];
  const runners: Runner[] = [];
  const about: string[] = [`f32, ${size.batch} × ${size.seq} tokens, ${(countParameters(model) / 1e6).toFixed(1)} M parameters, rank ${RANK}`];
  let bestProductMs = Infinity;
  let products = 0;
  try {
    if (wants(names.tab) || wants(names.share)) {
      const tab = await openTab();
      closing.push(() => tab.close());
      const executed = await tab.call("openTrainer", name, "f32", plan ?? null);
      if (wants(names.share)) await tab.call("openProduct", name);
      about.push(`tab: Chromium ${tab.version}, wasm, ${tab.threads} threads, ${executed}`);
      runners.push({
        name: "tab",
        step: () => tab.call("step"),
        between: async () => {
          if (!wants(names.share)) return;
          for (let i = 0; i < Math.ceil(PRODUCTS / rounds) && products < PRODUCTS; i++, products++) bestProductMs = Math.min(bestProductMs, await tab.call("multiply"));
        },
      });
    }
    if (wants(names.node)) {
      const threads = availableParallelism();
      const node = await TrainSubject.create(openNode(threads), size, "f32", plan);
      closing.push(() => node.dispose());
      about.push(`Node ${process.versions.node}, ${threads} threads, ${node.plan}`);
      runners.push({ name: "node", step: () => node.step() });
    }
    if (wants(names.tab) || wants(names.node)) {
      const peft = await openPeft(size);
      if (peft !== null) {
        closing.push(() => peft.close());
        about.push(`${peft.versions}, ${peft.threads} threads`);
        const ours = [...adapterShapes(model, sftConfig(size).lora).values()].reduce((n, [rows, columns]) => n + rows * columns, 0);
        if (peft.trained !== ours) throw new Error(`PEFT trains ${peft.trained} numbers, we ${ours}: these are not the same step.`);
        runners.push({ name: "peft", step: () => peft.step() });
      }
    }
    const { times, losses } = await takeSteps(runners, rounds);
    const note = `${about.join("; ")}; first losses: ${losses.join(", ")}`;
    const baseline = times.peft.length > 0 ? median(times.peft) : null;
    if (wants(names.tab)) yield stepLine(names.tab, times.tab, baseline, note);
    if (wants(names.node)) yield stepLine(names.node, times.node, baseline, note);
    if (wants(names.share)) yield shareLine(names.share, name, times.tab, bestProductMs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    for (const [wanted, unit] of [[names.tab, "ms"], [names.node, "ms"], [names.share, "share"]] as const) {
      if (wants(wanted)) yield { name: wanted, value: null, unit, error: message };
    }
  } finally {
    for (const close of closing) await close();
  }
}

function shareLine(name: string, sizeName: SizeName, times: readonly number[], productMs: number): Measure {
  const size = SIZES[sizeName];
  const model = modelOf(size);
  const shape = { batch: size.batch, seq: size.seq, promptLength: promptLength(size), rank: RANK };
  const product = mlpFlops(model, size.batch * size.seq) / productMs; // FLOP/ms
  const share = (ms: number, square = false): number => rounded(stepFlops(model, shape, square) / ms / product);
  const ms = median(times);
  return {
    name, value: share(ms), unit: "share", low: share(Math.max(...times)), high: share(Math.min(...times)), n: times.length,
    note: `${(stepFlops(model, shape) / 1e9).toFixed(2)} GFLOP a step against a product of ${(product / 1e6).toFixed(1)} GFLOP/s (best of ${PRODUCTS}, ${rounded(productMs)} ms); with attention counted over all pairs ${share(ms, true)}`,
  };
}
