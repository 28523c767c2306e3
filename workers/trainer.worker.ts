/**
 * The training worker: one run at a time, from a hand's documents in IndexedDB
 * to a stored adapter, or on from the last checkpoint of a run that was cut off.
 * It writes metrics, samples, checkpoints and the best adapter so far as they
 * come, so that a closed tab loses little; the page only listens.
 */
import { expose } from "comlink";
import { DuctusError, serializeError } from "../lib/core/errors";
import { requireEnoughWords } from "../lib/data/documents";
import { deleteCheckpoints, listCheckpoints } from "../lib/store/checkpoints";
import { getHand } from "../lib/store/hands";
import { listDocuments, usedDocuments } from "../lib/store/documents";
import { createRun, getRun, updateRun } from "../lib/store/runs";
import type { Hand, Run } from "../lib/store/types";
import { RunControl } from "../lib/train/loop";
import { checkConfig } from "../lib/train/sft/check";
import { firstReadable, type SftCheckpoint } from "../lib/train/sft/checkpoint";
import { defaultConfig } from "../lib/train/sft/recipes";
import type { ExecutionPlan } from "../lib/train/execution/types";
import { runPlan, runSft, type SftRunResult } from "../lib/train/sft/run";
import type { RunEvent, TrainerApi, TrainRequest } from "./protocol";
import { reportRequests } from "./requests";
import { device, identify, openByHash } from "./resources";
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
    const config = { ...defaultConfig(model.parameters, documents.reduce((n, d) => n + d.words, 0)), ...request.config };
    checkConfig(config); // before it is stored
    const run = await createRun({ handId: hand.id, modelId: model.id, modelSha256: model.sha256, config });
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
  const recorder = new RunRecorder(run, hand.name, model, mine, onEvent);
  let result: SftRunResult;
  try {
    result = await runSft(backend, model, documents, hand.seed, run.config, mine, {
      preparing: unlessStopped,
      prepared: async (data, totalSteps) => {
        await recorder.prepared(data, totalSteps);
        unlessStopped();
      },
      narrowed: follow,
      resumed: (checkpoint, differences) => recorder.resumed(checkpoint, afterLoss, differences),
      step: (done, step) => recorder.step(done, step),
      heldOut: async (done, score, adapter, best) => {
        await recorder.heldOut(done, score, adapter, best);
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
    }, { execution: plan, ...(resume ? { resume } : {}) });
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
    onEvent({ type: "unsaved", runId, stopped: result.stopped, error: serialized, name, file: recorder.pack(result.adapter, result.bestStep, result.report), report: result.report });
    await updateRun(runId, { status: "failed", error: serialized }).catch(() => undefined); // there is no room
  }
}

const api: TrainerApi = {
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
