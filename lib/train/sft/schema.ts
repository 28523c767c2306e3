/**
 * Reads the settings of a run that something else wrote: the store, an adapter
 * file, a checkpoint. Settings that an earlier version did not know get the
 * values that it computed with. Whether they can be trained with is for check.ts.
 */
import "../../zod";
import * as z from "zod";
import { OPTIMIZERS } from "../optimizer/optimizer";
import { LR_SCHEDULES } from "../optimizer/schedule";
import { PROJECTIONS, type SftConfig } from "./config";

const count = z.number().int().nonnegative();

export const sftConfigSchema: z.ZodType<SftConfig> = z.object({
  lora: z.object({
    rank: count,
    alpha: z.number(),
    dropout: z.number().min(0).max(1),
    targetModules: z.array(z.enum(PROJECTIONS)),
    useRslora: z.boolean().default(false),
    trainableTokenIndices: z.array(count).default([]),
  }),
  learningRate: z.number(),
  lrSchedulerType: z.enum(LR_SCHEDULES).default("linear"),
  warmupRatio: z.number(),
  warmupSteps: count.default(0),
  epochs: z.number(),
  maxSteps: count.default(0),
  batchSize: count,
  gradientAccumulationSteps: count,
  maxGradNorm: z.number(),
  optim: z.enum(OPTIMIZERS).default("adamw"),
  weightDecay: z.number(),
  adamBeta1: z.number(),
  adamBeta2: z.number(),
  adamEpsilon: z.number(),
  maxLength: count,
  packing: z.boolean().default(false),
  neftuneNoiseAlpha: z.number().default(0),
  shuffle: z.boolean().default(true),
  evaluations: count,
  evalSteps: count.default(0),
  earlyStoppingPatience: count.default(0),
  saveSteps: count.default(0),
  seed: z.number(),
});
