/** Learning-rate schedules, as transformers' get_linear_schedule_with_warmup. */

/**
 * Factor of the learning rate at a step (the first is 0): rises from 0 over
 * `warmupSteps`, then falls to 0 at `totalSteps`.
 */
export function linearWithWarmup(step: number, totalSteps: number, warmupSteps: number): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  return Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
}
