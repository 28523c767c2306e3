/**
 * The training worker: one run at a time, from a hand's documents in IndexedDB
 * to a stored adapter, or on from the last checkpoint of a run that was cut off.
 * It writes metrics, samples, checkpoints and the best adapter so far as they
 * come, so that a closed tab loses little; the page only listens.
 */
import { expose } from "comlink";
import { DuctusError, serializeError } from "../lib/core/errors";
import { requireEnoughWords } from "../lib/data/documents";
import { dataHash } from "../lib/data/examples";
import { getAdapter } from "../lib/store/adapters";
import { deleteCheckpoints, listCheckpoints } from "../lib/store/checkpoints";
import { getHand, splitOptions } from "../lib/store/hands";
import { listDocuments, usedDocuments } from "../lib/store/documents";
import { createRun, getRun, updateRun } from "../lib/store/runs";
import type { Hand, Run } from "../lib/store/types";
import { openAdapter } from "../lib/train/adapter/file";
import { RunControl } from "../lib/train/loop";
import { checkConfig } from "../lib/train/sft/check";
import { firstReadable, type SftCheckpoint } from "../lib/train/sft/checkpoint";
import { defaultConfig } from "../lib/train/sft/recipes";
import { configFrom } from "../lib/train/sft/start";
import type { ExecutionPlan } from "../lib/train/execution/types";
import { runPlan, runSft, type SftRunResult } from "../lib/train/sft/run";
import { type FittedAdapter, fitAdapter, tokenizerFor } from "./adapter-use";
import { predict } from "./predicting";
import type { RunEvent, TrainerApi, TrainRequest } from "./protocol";
import { reportRequests } from "./requests";
import { device, identify, type ModelIdentity, openByHash } from "./resources";
import { isPassing, RunRecorder } from "./run-recorder";
import { registerTransferHandlers } from "./transfer";

/** Thrown to leave a run that was stopped before its first step. */
class Withdrawn extends Error {}

/** One run, begun or going on. */
interface Job {
  run: Run;
  hand: Hand;
  documents: readonly { id: string; text: string }[];
  device: TrainRequest["device"];
  control: RunControl;
  onEvent: (event: RunEvent) => void;
}

let control: RunControl | null = null;
let announce: (paused: boolean) => void = () => undefined;
/** Stores what the last run has learned, where it could not be stored at its end. */
let unsaved: (() => Promise<void>) | null = null;

async function train(request: TrainRequest, onEvent: (event: RunEvent) => void): Promise<string> {
  return alone(async (mine) => {
    const hand = await requireHand(request.handId);
    const documents = usedDocuments(await listDocuments(hand.id, () => undefined));
    requireEnoughWords(documents);
    const model = await identify(hand.model);
    const words = documents.reduce((n, d) => n + d.words, 0);
    const asked = { ...defaultConfig(model.parameters, words), ...request.config };
    checkConfig(asked); // before anything is opened, or stored
    const start = request.startAdapterId === undefined ? null : await openStart(request.startAdapterId, model);
    const config = start === null ? asked : configFrom(asked, start.adapter);
    checkConfig(config);
    const run = await createRun({
      handId: hand.id, modelId: model.id, modelSha256: model.sha256, config, writing: { words },
      ...(start === null ? {} : { start: { name: start.name, adapterId: start.id } }),
    });
    return conduct({ run, hand, documents, device: request.device, control: mine, onEvent }, null);
  });
}

async function goOn(runId: string, preference: TrainRequest["device"], onEvent: (event: RunEvent) => void): Promise<string> {
  return alone(async (mine) => {
    const found = await getRun(runId);
    if (!found) throw new DuctusError("store/missing", "This training run is no longer here.", "Start a new one.");
    const hand = await requireHand(found.handId);
    const documents = usedDocuments(await listDocuments(hand.id, () => undefined));
    const checkpoint = await lastCheckpoint(runId); // before anything says that it goes on
    const run = await updateRun(runId, { status: "running" });
    return conduct({ run, hand, documents, device: preference, control: mine, onEvent }, checkpoint);
  });
}

async function requireHand(id: string): Promise<Hand> {
  const hand = await getHand(id);
  if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one, or begin a new one.");
  return hand;
}

/** The newest that can be read. @throws DuctusError as firstReadable */
async function lastCheckpoint(runId: string): Promise<SftCheckpoint> {
  const stored = await listCheckpoints(runId, () => undefined);
  return (await firstReadable(stored.map(({ file }) => file))).checkpoint;
}

async function alone(work: (mine: RunControl) => Promise<string>): Promise<string> {
  if (control) throw new DuctusError("train/busy", "A run is already going on.", "Wait until it has ended, or stop it.");
  const mine = (control = new RunControl());
  unsaved = null;
  try {
    return await work(mine);
  } finally {
    control = null;
    announce = () => undefined;
  }
}

/** Carries a run to its end, whichever way; once, a lost device is opened anew on the way. */
async function conduct(job: Job, checkpoint: SftCheckpoint | null): Promise<string> {
  const { run, onEvent } = job;
  try {
    await execute(job, checkpoint, false).catch(async (error: unknown) => {
      if (!(error instanceof DuctusError) || error.code !== "device/lost") throw error;
      const last = await lastCheckpoint(run.id).catch(() => Promise.reject(error)); // the loss is what is to be told
      await execute(job, last, true);
    });
  } catch (error) {
    if (error instanceof Withdrawn) {
      await updateRun(run.id, { status: "stopped" });
      onEvent({ type: "withdrawn", runId: run.id });
      return run.id;
    }
    const serialized = serializeError(error);
    onEvent({ type: "failed", runId: run.id, error: serialized });
    await updateRun(run.id, { status: "failed", error: serialized });
  }
  return run.id;
}

/** The adapter that a run goes on from, with its model. @throws DuctusError `store/missing`, `adapter/other-model`, and those of openAdapter */
async function openStart(adapterId: string, { id, sha256 }: ModelIdentity): Promise<FittedAdapter & { id: string; name: string }> {
  const stored = await getAdapter(adapterId);
  if (stored === null) throw new DuctusError("store/missing", "The adapter to go on from is no longer here.", "Choose another one, or start from nothing.");
  const model = await openByHash(sha256, id);
  const opened = openAdapter(stored.file, { id: model.entry.id, name: model.entry.name, sha256: model.entry.sha256, config: model.config });
  return { ...fitAdapter(model, opened), id: stored.id, name: stored.name };
}

async function execute({ run: { id: runId }, hand, documents, device: preference, control: mine, onEvent }: Job, resume: SftCheckpoint | null, afterLoss: boolean): Promise<void> {
  announce = (paused) => onEvent({ type: "paused", runId, paused });
  const unlessStopped = (): void => {
    if (mine.stopped && !resume) throw new Withdrawn();
  };
  const run = await getRun(runId);
  if (!run) throw new DuctusError("store/missing", "This training run is no longer here.", "Start a new one.");
  onEvent({ type: "phase", runId, phase: "loading" });
  const model = await openByHash(run.modelSha256, run.modelId, (done, total) => onEvent({ type: "phase", runId, phase: "loading", done, total }));
  unlessStopped();
  onEvent({ type: "phase", runId, phase: "checking" });
  const { backend, report } = await device(preference, resume?.machine.threads);
  onEvent({ type: "device", runId, device: report });
  const plan = runPlan(backend, model, run.config, resume);
  const follow = async (chosen: ExecutionPlan): Promise<void> => {
    const execution = { ...chosen, storage: model.storage };
    onEvent({ type: "execution", runId, execution });
    await updateRun(runId, { device: report, execution });
  };
  await follow(plan);
  unlessStopped();
  onEvent({ type: "phase", runId, phase: "preparing" });
  const begun = run.start?.adapterId === undefined ? null : await openStart(run.start.adapterId, model.entry).catch((error: unknown) => {
    if (resume) return null; // what it began with is in its checkpoint
    throw error;
  });
  const tokenizer = await tokenizerFor(model, begun?.addedTokens ?? []);
  const recorder = new RunRecorder(run, hand.name, model, mine, onEvent, begun?.addedTokens);
  let result: SftRunResult;
  try {
    result = await runSft(backend, { ...model, tokenizer }, documents, hand.seed, run.config, mine, {
      preparing: unlessStopped,
      prepared: async (data, totalSteps) => {
        await recorder.prepared(data, totalSteps, await dataHash(documents, data.split, null));
        unlessStopped();
      },
      narrowed: follow,
      resumed: (checkpoint, differences) => recorder.resumed(checkpoint, afterLoss, differences),
      step: (done, step) => recorder.step(done, step),
      heldOut: async (done, score, adapter, best, changeError) => {
        await recorder.heldOut(done, score, adapter, best, changeError);
        if (done === 0) unlessStopped();
      },
      sample: async (done, prompt, text) => {
        await recorder.sample(done, prompt, text);
        if (done === 0) unlessStopped();
      },
      checkpoint: (bytes, done) => recorder.checkpoint(bytes, done),
      finishing: () => {
        if (!recorder.hasLearned) unlessStopped();
        onEvent({ type: "phase", runId, phase: "finishing" });
      },
    }, { execution: plan, splitting: splitOptions(hand), ...(resume ? { resume } : begun ? { start: begun.adapter } : {}) });
  } catch (error) {
    await recorder.flush().catch(() => undefined); // the first fault is the one to tell
    throw error;
  }
  await keep(recorder, result, runId, hand.name, onEvent);
}

/** Stores what was learned; where there is no room, it stays here and goes to the page as a file. */
async function keep(recorder: RunRecorder, result: SftRunResult, runId: string, name: string, onEvent: (event: RunEvent) => void): Promise<void> {
  const store = async (): Promise<void> => {
    await recorder.finished(result);
    unsaved = null;
    await deleteCheckpoints(runId).catch(() => undefined); // they go with the run, at the latest
  };
  try {
    await store();
  } catch (error) {
    if (!isPassing(error)) throw error;
    unsaved = store;
    const serialized = serializeError(error);
    onEvent({ type: "unsaved", runId, stopped: result.stopped, error: serialized, name, file: recorder.pack(result.adapter, result.bestStep, undefined, result.report), report: result.report });
    await updateRun(runId, { status: "failed", error: serialized }).catch(() => undefined); // there is no room
  }
}

const api: TrainerApi = {
  predict,
  train,
  goOn,
  keepAgain: async () => {
    if (!unsaved) throw new DuctusError("train/nothing-unsaved", "There is nothing left that is not kept.", "Reload the page.");
    await unsaved();
  },
  stop: () => control?.stop(),
  pause: () => {
    if (!control || control.paused) return;
    control.pause();
    announce(true);
  },
  resume: () => {
    if (!control?.paused) return;
    control.resume();
    announce(false);
  },
};

reportRequests();
registerTransferHandlers();
expose(api);
