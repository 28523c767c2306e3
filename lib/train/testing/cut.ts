/**
 * Runs that are killed and go on from their last checkpoint, with every number
 * that they gave, to be compared with a run that was not. For tests in Node and
 * in the browser; never part of the product.
 */
import type { ExecutionPlan } from "../execution/types";
import { RunControl } from "../loop";
import type { ModelConfig } from "../model/config";
import type { Backend } from "../runtime/backend";
import type { TokenizedExample } from "../sft/batch";
import { decodeCheckpoint, machineOf, type SftCheckpoint } from "../sft/checkpoint";
import type { SftConfig } from "../sft/config";
import { fineTune, type FineTuneHooks, type FineTuneResult } from "../sft/fine-tune";
import type { PlannedStep } from "../sft/plan";
import { SftTrainer } from "../sft/trainer";

/** What is run. */
export interface Subject {
  backend: Backend;
  model: ModelConfig;
  weights: ReadonlyMap<string, Float32Array>;
  config: SftConfig;
  execution?: ExecutionPlan | undefined;
  plan: readonly PlannedStep[];
  validation: readonly TokenizedExample[];
}

/** What outlives a kill. */
export interface Store {
  bytes: Uint8Array | null;
  /** What the run did, in order, with every number of it. */
  log: string[];
  checkpoints: number;
}

type Kill = readonly [event: string, done: number];

class Killed extends Error {}

/**
 * Runs until it is killed, or to the end; what came after the last checkpoint is forgotten.
 *
 * @param kill the event (`step`, `heldOut`, `evaluated`, `checkpoint`) at which the run dies; null: none
 * @returns null where it was killed
 */
export async function attempt(subject: Subject, store: Store, kill: Kill | null, resumed?: NonNullable<FineTuneHooks["resumed"]>): Promise<FineTuneResult | null> {
  const { backend, model, weights, config, execution, plan, validation } = subject;
  const resume: SftCheckpoint | null = store.bytes && (await decodeCheckpoint(store.bytes));
  const trainer = await SftTrainer.create(backend, model, weights, config, undefined, resume?.machine.execution ?? execution);
  const log = [...store.log];
  const reach = (event: string, done: number) => {
    if (kill?.[0] === event && kill[1] === done) throw new Killed();
  };
  const note = (event: "step" | "heldOut" | "evaluated", done: number, value: unknown) => {
    reach(event, done);
    log.push(`${event} ${done} ${JSON.stringify(value)}`);
  };
  const hooks: FineTuneHooks = {
    step: (done, result) => note("step", done, result),
    heldOut: (done, score, _, best) => note("heldOut", done, { score, best }),
    evaluated: (done) => note("evaluated", done, null),
    checkpoint: (bytes, done) => {
      reach("checkpoint", done);
      Object.assign(store, { bytes, log: [...log], checkpoints: store.checkpoints + 1 });
    },
    ...(resumed ? { resumed } : {}),
  };
  try {
    const result = await fineTune(trainer, plan, validation, config, machineOf(backend, weights, trainer.execution.plan), new RunControl(), hooks, resume);
    store.log = log;
    return result;
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return null;
  } finally {
    await trainer.dispose();
  }
}

export const nothingStored = (): Store => ({ bytes: null, log: [], checkpoints: 0 });

/** Kills at the first of these events, goes on to the second, and so on, then to the end. */
export async function killedAt(subject: Subject, kills: readonly Kill[], resumed?: NonNullable<FineTuneHooks["resumed"]>): Promise<{ result: FineTuneResult; store: Store }> {
  const store = nothingStored();
  for (const kill of kills) {
    if ((await attempt(subject, store, kill, resumed)) !== null) throw new Error(`The run ended before ${kill.join(" ")}.`);
  }
  return { result: (await attempt(subject, store, null, resumed))!, store };
}
