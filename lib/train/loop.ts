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

/** Where a run stands: all that the loop itself has to know to go on. */
export interface LoopPlace {
  /** Steps done. */
  done: number;
  /** After how many steps it was last measured; −1: not yet. */
  evaluated: number;
  /** The last measurement said that the run is to end. */
  enough: boolean;
}

export interface LoopWork {
  totalSteps: number;
  control: RunControl;
  /** Does step `index` (from 0). */
  step(index: number): Promise<void>;
  /**
   * Measures after `done` steps; called before the first step, at the set points, and at the end.
   * @returns whether the run is to end here
   */
  evaluate(done: number): Promise<boolean>;
  /** How many evaluations are spread over the run, the one before the first step not counted. */
  evaluations: number;
  /** Instead of that number: one every so many steps, and at the end. Absent or 0: by the number. */
  evaluateEvery?: number;
  /** Called before it waits. */
  pausing?(done: number): Promise<void>;
  /** Where to go on; absent: at the beginning. */
  from?: LoopPlace;
}

/** The numbers of done steps after which to evaluate: evenly spread, or every so many steps where `every` is above 0; the last step among them. */
export function evaluationPoints(totalSteps: number, evaluations: number, every = 0): number[] {
  if (every > 0) return Array.from({ length: Math.ceil(totalSteps / every) }, (_, i) => Math.min(totalSteps, (i + 1) * every));
  const count = Math.max(1, Math.min(evaluations, totalSteps));
  return Array.from({ length: count }, (_, i) => Math.round(((i + 1) * totalSteps) / count));
}

/** @returns how many steps were done, and whether the run was stopped, or had enough, before its end */
export async function runLoop(work: LoopWork): Promise<{ steps: number; stopped: boolean; enough: boolean }> {
  const points = new Set(evaluationPoints(work.totalSteps, work.evaluations, work.evaluateEvery)).add(0);
  let { done, evaluated, enough } = work.from ?? { done: 0, evaluated: -1, enough: false };
  const evaluate = async () => {
    enough = await work.evaluate(done);
    evaluated = done;
  };
  if (points.has(done) && evaluated < done) await evaluate();
  while (!enough && done < work.totalSteps) {
    if (work.control.paused && !work.control.stopped) await work.pausing?.(done);
    await work.control.whileRunning();
    if (work.control.stopped) break;
    await work.step(done);
    done++;
    if (points.has(done)) await evaluate();
  }
  const stopped = !enough && done < work.totalSteps;
  if (evaluated < done) await evaluate(); // stopped between two points: measure what is kept
  return { steps: done, stopped, enough: enough && done < work.totalSteps };
}
