/**
 * What every trainer's run shares: counting steps, evaluating at set points,
 * waiting while paused, ending early on request. It does no arithmetic of its
 * own and stores nothing; callers hand it the work as functions.
 */

/** The switches of a run, flipped from outside while it goes on. */
export class RunControl {
  private pausedNow = false;
  private stopAsked = false;
  private wake: (() => void) | null = null;
  private waited = 0;

  /** Time spent waiting so far, in ms: no measure of the work. */
  get waitedMs(): number {
    return this.waited;
  }

  get stopped(): boolean {
    return this.stopAsked;
  }

  get paused(): boolean {
    return this.pausedNow;
  }

  stop(): void {
    this.stopAsked = true;
    this.wake?.();
  }

  pause(): void {
    this.pausedNow = true;
  }

  resume(): void {
    this.pausedNow = false;
    this.wake?.();
  }

  /** Resolves at once unless paused; then when resumed or stopped. */
  async whileRunning(): Promise<void> {
    const since = performance.now();
    while (this.pausedNow && !this.stopAsked) {
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = null;
    }
    this.waited += performance.now() - since;
  }
}

export interface LoopWork {
  totalSteps: number;
  control: RunControl;
  /** Does step `index` (from 0). */
  step(index: number): Promise<void>;
  /** Measures after `done` steps; called before the first step, at the set points, and at the end. */
  evaluate(done: number): Promise<void>;
  /** How many evaluations are spread over the run, the one before the first step not counted. */
  evaluations: number;
}

/** The numbers of done steps after which to evaluate: evenly spread, the last step among them. */
export function evaluationPoints(totalSteps: number, evaluations: number): number[] {
  const count = Math.max(1, Math.min(evaluations, totalSteps));
  return Array.from({ length: count }, (_, i) => Math.round(((i + 1) * totalSteps) / count));
}

/** @returns how many steps were done, and whether the run was stopped before its end */
export async function runLoop(work: LoopWork): Promise<{ steps: number; stopped: boolean }> {
  const points = new Set(evaluationPoints(work.totalSteps, work.evaluations));
  await work.evaluate(0);
  let evaluated = 0;
  let done = 0;
  while (done < work.totalSteps) {
    await work.control.whileRunning();
    if (work.control.stopped) break;
    await work.step(done);
    done++;
    if (points.has(done)) await work.evaluate((evaluated = done));
  }
  if (evaluated < done) await work.evaluate(done); // stopped between two points: measure what is kept
  return { steps: done, stopped: done < work.totalSteps };
}
