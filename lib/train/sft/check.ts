/**
 * Whether settings can be trained with at all. Values out of these ranges do not
 * merely train badly: they divide by zero, never end, or fill the memory. What
 * trains well is another question, see recipes.ts.
 */
import { DuctusError } from "../../core/errors";
import { OPTIMIZERS } from "../optimizer/optimizer";
import { LR_SCHEDULES } from "../optimizer/schedule";
import { PROJECTIONS, type SftConfig } from "./config";

const MAX_RANK = 1024;
const MAX_EPOCHS = 1000;
const MAX_BATCH = 1024;
const MAX_EXAMPLE_TOKENS = 32_768;
const MAX_TOKEN_ID = 10_000_000;
const MAX_STEPS = 10_000_000;

const finite = Number.isFinite;
const whole = (value: number, least: number, most: number): boolean => Number.isInteger(value) && value >= least && value <= most;

/** Setting in words → whether it is in order, and what it should be. */
const RULES: readonly [name: string, holds: (config: SftConfig) => boolean, should: string][] = [
  ["rank", (c) => whole(c.lora.rank, 1, MAX_RANK), `a whole number from 1 to ${MAX_RANK}`],
  ["alpha", (c) => finite(c.lora.alpha) && c.lora.alpha > 0, "above 0"],
  ["dropout", (c) => c.lora.dropout >= 0 && c.lora.dropout < 1, "from 0 to below 1"],
  ["layers to adapt", (c) => c.lora.targetModules.length > 0 && c.lora.targetModules.every((m) => PROJECTIONS.includes(m)), `some of ${PROJECTIONS.join(", ")}`],
  ["list of trained tokens", (c) => c.lora.trainableTokenIndices.every((id) => whole(id, 0, MAX_TOKEN_ID)) && new Set(c.lora.trainableTokenIndices).size === c.lora.trainableTokenIndices.length, "whole numbers, each of them once"],
  ["learning rate", (c) => finite(c.learningRate) && c.learningRate >= 0, "0 or more"],
  ["schedule of the learning rate", (c) => LR_SCHEDULES.includes(c.lrSchedulerType), `one of ${LR_SCHEDULES.join(", ")}`],
  ["warm-up", (c) => c.warmupRatio >= 0 && c.warmupRatio <= 1, "from 0 to 1"],
  ["number of warm-up steps", (c) => whole(c.warmupSteps, 0, MAX_STEPS), "a whole number, 0 or more"],
  ["number of epochs", (c) => c.epochs > 0 && c.epochs <= MAX_EPOCHS, `above 0, and at most ${MAX_EPOCHS}`],
  ["number of steps", (c) => whole(c.maxSteps, 0, MAX_STEPS), `a whole number from 0 (as many as the epochs give) to ${MAX_STEPS}`],
  ["batch size", (c) => whole(c.batchSize, 1, MAX_BATCH), `a whole number from 1 to ${MAX_BATCH}`],
  ["number of accumulated batches", (c) => whole(c.gradientAccumulationSteps, 1, MAX_BATCH), `a whole number from 1 to ${MAX_BATCH}`],
  ["gradient norm", (c) => finite(c.maxGradNorm) && c.maxGradNorm >= 0, "0 or more"],
  ["optimizer", (c) => OPTIMIZERS.includes(c.optim), `one of ${OPTIMIZERS.join(", ")}`],
  ["weight decay", (c) => finite(c.weightDecay) && c.weightDecay >= 0, "0 or more"],
  ["first beta of AdamW", (c) => c.adamBeta1 >= 0 && c.adamBeta1 < 1, "from 0 to below 1"],
  ["second beta of AdamW", (c) => c.adamBeta2 >= 0 && c.adamBeta2 < 1, "from 0 to below 1"],
  ["epsilon of AdamW", (c) => finite(c.adamEpsilon) && c.adamEpsilon > 0, "above 0"],
  ["longest example", (c) => whole(c.maxLength, 2, MAX_EXAMPLE_TOKENS), `a whole number of tokens from 2 to ${MAX_EXAMPLE_TOKENS}`],
  ["noise on embeddings", (c) => finite(c.neftuneNoiseAlpha) && c.neftuneNoiseAlpha >= 0, "0 or more"],
  ["number of checks", (c) => whole(c.evaluations, 0, 10_000), "a whole number, 0 or more"],
  ["number of steps between checks", (c) => whole(c.evalSteps, 0, MAX_STEPS), "a whole number, 0 or more"],
  ["patience of early stopping", (c) => whole(c.earlyStoppingPatience, 0, 10_000), "a whole number of checks, 0 or more"],
  ["number of steps between checkpoints", (c) => whole(c.saveSteps, 0, MAX_STEPS), "a whole number, 0 or more"],
  ["seed", (c) => finite(c.seed), "a number"],
];

/** @throws DuctusError `train/settings` naming the first setting that is out of its range */
export function checkConfig(config: SftConfig): void {
  const broken = RULES.find(([, holds]) => !holds(config));
  if (broken) throw new DuctusError("train/settings", `The model cannot be trained with this setting: the ${broken[0]} must be ${broken[2]}.`, "Change it, and start again.");
}
