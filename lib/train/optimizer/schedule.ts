/**
 * Learning-rate schedules, as transformers' get_scheduler: the factor of the
 * learning rate at each step. All but `constant` rise linearly from 0 over the
 * warm-up.
 */
export const LR_SCHEDULES = ["linear", "cosine", "constant", "constant_with_warmup"] as const;
export type LrSchedulerType = (typeof LR_SCHEDULES)[number];

/** @param step from 0. @param totalSteps of the whole run, warm-up included */
export function learningRateFactor(type: LrSchedulerType, step: number, totalSteps: number, warmupSteps: number): number {
  switch (type) {
    case "linear":
      return linearWithWarmup(step, totalSteps, warmupSteps);
    case "cosine":
      return cosineWithWarmup(step, totalSteps, warmupSteps);
    case "constant":
      return 1;
    case "constant_with_warmup":
      return step < warmupSteps ? rising(step, warmupSteps) : 1;
    default:
      return type satisfies never;
  }
}

/** Rises from 0 over `warmupSteps`, then falls to 0 at `totalSteps` along a line. */
export function linearWithWarmup(step: number, totalSteps: number, warmupSteps: number): number {
  if (step < warmupSteps) return rising(step, warmupSteps);
  return Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
}

/** Rises from 0 over `warmupSteps`, then falls to 0 at `totalSteps` along half a period of a cosine; beyond, it would rise again, as in transformers. */
function cosineWithWarmup(step: number, totalSteps: number, warmupSteps: number): number {
  if (step < warmupSteps) return rising(step, warmupSteps);
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
}

const rising = (step: number, warmupSteps: number): number => step / Math.max(1, warmupSteps);
