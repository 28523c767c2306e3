/**
 * A run of the Node engine in a work folder: from its newest checkpoint step by
 * step, with a line of log.jsonl for each, until a given step or a signal; then
 * a checkpoint. train.py does the same with the same files.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openNode } from "../../lib/train/runtime/node";
import { Data, phaseAt } from "./batches";
import { ensureCheckpoint, readCheckpoint, writeCheckpoint } from "./checkpoint";
import { NodeEngine } from "./engine";
import { phaseSteps, rateFactor, totalSteps, type Phase, type Recipe } from "./recipe";

/** A line of log.jsonl. */
export interface LogLine {
  /** Steps done, this one included. */
  step: number;
  phase: Phase;
  /** Mean nll of the step's tokens before the update, in nats, without z-loss. */
  loss: number;
  /** Muon's, at this step. */
  lr: number;
  /** Of all gradients together, before clipping. */
  gradientNorm: number;
  /** Trained on so far in this run. */
  tokens: number;
  /** Of this step, evaluation left out. */
  seconds: number;
  /** Held-out bits per UTF-8 byte after the step, and those of the mean weights where there are some. */
  heldOutBits?: number;
  heldOutBitsAverage?: number;
}

export interface TrainOptions {
  threads: number;
  /** Stops after so many steps of the whole run; its end if absent. */
  until?: number;
  /** Stops after the step in hand. */
  signal?: AbortSignal;
  onLine?: (line: LogLine) => void;
}

/**
 * @returns steps done in the whole run
 * @throws DuctusError `data/work`, `train/checkpoint-other`
 */
export async function trainOnNode(work: string, recipe: Recipe, { threads, until, signal, onLine }: TrainOptions): Promise<number> {
  const data = Data.open(work, recipe);
  ensureCheckpoint(work, recipe);
  const from = readCheckpoint(work, recipe);
  let step = from.step;
  cutLog(work, step);
  const engine = await NodeEngine.create(openNode(threads), recipe, from);
  const end = Math.min(until ?? Infinity, totalSteps(recipe));
  const stopping = () => signal?.aborted === true;
  try {
    while (step < end && !stopping()) {
      const phase = phaseAt(recipe, step);
      const began = performance.now();
      const { loss, gradientNorm } = await engine.train(data.microBatches(step));
      const line: LogLine = { step: step + 1, phase, loss, lr: recipe.muon.lr * rateFactor(recipe, step), gradientNorm, tokens: (step + 1) * recipe.tokensPerStep, seconds: (performance.now() - began) / 1000 };
      step++;
      const phaseEnds = step === phaseSteps(recipe, phase).end;
      if (phaseEnds || step % recipe.evaluateSteps === 0) {
        const held = await engine.score(data.heldOut());
        const bits = (nats: number) => nats / Math.LN2 / data.heldBytesPerToken;
        line.heldOutBits = bits(held.loss);
        if (held.averageLoss !== null) line.heldOutBitsAverage = bits(held.averageLoss);
      }
      appendFileSync(join(work, LOG), `${JSON.stringify(line)}\n`);
      onLine?.(line);
      if (phaseEnds || step % recipe.checkpointSteps === 0 || step === end || stopping()) writeCheckpoint(work, recipe, engine.checkpoint());
    }
  } finally {
    await engine.dispose();
  }
  return step;
}

const LOG = "log.jsonl";

/** Steps after the checkpoint are done again: their lines go, and one that a cut left unfinished. */
function cutLog(work: string, step: number): void {
  const path = join(work, LOG);
  if (!existsSync(path)) return;
  const lines = readFileSync(path, "utf8").split("\n").filter((text) => {
    try {
      return (JSON.parse(text) as LogLine).step <= step;
    } catch {
      return false;
    }
  });
  writeFileSync(path, lines.map((text) => `${text}\n`).join(""));
}
