/** The training worker, seen from the page. One run at a time, in one tab: run-lock.ts. */
import { proxy } from "comlink";
import type { PredictedRun, PredictRequest, RunEvent, TrainerApi, TrainRequest } from "../../workers/protocol";
import { WorkerHost } from "./worker-host";

const host = new WorkerHost<TrainerApi>(() => new Worker(new URL("../../workers/trainer.worker.ts", import.meta.url), { type: "module", name: "ductus-trainer" }));

/** What a run would take; reads no weights, and starts nothing. */
export const predict = (request: PredictRequest): Promise<PredictedRun> => host.call((trainer) => trainer.predict(request));

/** Resolves with the run's id when it has ended, whichever way. */
export function train(request: TrainRequest, onEvent: (event: RunEvent) => void): Promise<string> {
  return host.call((trainer) => trainer.train(request, proxy(onEvent)));
}

/** Goes on with a run that was cut off. Resolves like {@link train}. */
export function goOn(runId: string, device: TrainRequest["device"], onEvent: (event: RunEvent) => void): Promise<string> {
  return host.call((trainer) => trainer.goOn(runId, device, proxy(onEvent)));
}

/** Tries again to store what the last run has learned. */
export const keepAgain = (): Promise<void> => host.call((trainer) => trainer.keepAgain());

export const stopTraining = (): Promise<void> => host.call((trainer) => trainer.stop());
export const pauseTraining = (): Promise<void> => host.call((trainer) => trainer.pause());
export const resumeTraining = (): Promise<void> => host.call((trainer) => trainer.resume());
/** Loads the worker's script ahead of its first use. */
export const warmTrainer = (): void => host.warm();
/** Gives back the memory of a large model; only between runs. */
export const closeTrainer = (): void => host.end();
