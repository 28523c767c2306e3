/**
 * The training worker: one run at a time, from a hand's documents in IndexedDB
 * to a stored adapter. It writes metrics, samples and the best adapter so far as
 * they come, so that a closed tab loses little; the page only listens.
 */
import { expose } from "comlink";
import { DuctusError, serializeError } from "../lib/core/errors";
import { requireEnoughWords } from "../lib/data/documents";
import { getHand } from "../lib/store/hands";
import { listDocuments } from "../lib/store/documents";
import { createRun, updateRun } from "../lib/store/runs";
import type { Run } from "../lib/store/types";
import { RunControl } from "../lib/train/loop";
import { checkConfig } from "../lib/train/sft/check";
import { defaultConfig } from "../lib/train/sft/recipes";
import { runSft } from "../lib/train/sft/run";
import type { RunEvent, TrainerApi, TrainRequest } from "./protocol";
import { device, embeddedEntry, embeddedModel } from "./resources";
import { RunRecorder } from "./run-recorder";
import { registerTransferHandlers } from "./transfer";

/** Thrown to leave a run that was stopped before its first step. */
class Withdrawn extends Error {}

let control: RunControl | null = null;
let announce: (paused: boolean) => void = () => undefined;

async function train(request: TrainRequest, onEvent: (event: RunEvent) => void): Promise<string> {
  if (control) throw new DuctusError("train/busy", "A run is already going on.", "Wait until it has ended, or stop it.");
  const mine = (control = new RunControl());
  let run: Run | null = null;
  try {
    const hand = await getHand(request.handId);
    if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one, or begin a new one.");
    const documents = await listDocuments(hand.id, () => undefined);
    requireEnoughWords(documents);
    const entry = await embeddedEntry();
    const config = { ...defaultConfig(entry.parameters, documents.reduce((n, d) => n + d.words, 0)), ...request.config };
    checkConfig(config); // before it is stored
    run = await createRun({ handId: hand.id, modelId: entry.id, modelSha256: entry.sha256, config });
    await execute(run, hand.name, hand.seed, documents, request, mine, onEvent);
    return run.id;
  } catch (error) {
    if (!run) throw error;
    if (error instanceof Withdrawn) {
      await updateRun(run.id, { status: "stopped" });
      onEvent({ type: "withdrawn", runId: run.id });
      return run.id;
    }
    const serialized = serializeError(error);
    onEvent({ type: "failed", runId: run.id, error: serialized });
    await updateRun(run.id, { status: "failed", error: serialized });
    return run.id;
  } finally {
    control = null;
    announce = () => undefined;
  }
}

async function execute(
  run: Run, handName: string, splitSeed: number, documents: readonly { id: string; text: string }[], request: TrainRequest, mine: RunControl, onEvent: (event: RunEvent) => void,
): Promise<void> {
  const runId = run.id;
  announce = (paused) => onEvent({ type: "paused", runId, paused });
  const unlessStopped = (): void => {
    if (mine.stopped) throw new Withdrawn();
  };
  onEvent({ type: "phase", runId, phase: "loading" });
  const model = await embeddedModel((done, total) => onEvent({ type: "phase", runId, phase: "loading", done, total }));
  unlessStopped();
  onEvent({ type: "phase", runId, phase: "checking" });
  const { backend, report } = await device(request.device);
  onEvent({ type: "device", runId, device: report });
  await updateRun(runId, { device: report });
  unlessStopped();
  onEvent({ type: "phase", runId, phase: "preparing" });
  const recorder = new RunRecorder(run, handName, model, mine, onEvent);
  try {
    const result = await runSft(backend, model, documents, splitSeed, run.config, mine, {
      preparing: unlessStopped,
      prepared: async (data, totalSteps) => {
        await recorder.prepared(data, totalSteps);
        unlessStopped();
      },
      step: (done, step) => recorder.step(done, step),
      heldOut: async (done, score, adapter, best) => {
        await recorder.heldOut(done, score, adapter, best);
        if (done === 0) unlessStopped();
      },
      sample: async (done, prompt, text) => {
        await recorder.sample(done, prompt, text);
        if (done === 0) unlessStopped();
      },
      finishing: () => {
        if (!recorder.hasLearned) unlessStopped();
        onEvent({ type: "phase", runId, phase: "finishing" });
      },
    });
    await recorder.finished(result);
  } catch (error) {
    await recorder.flush().catch(() => undefined); // the first fault is the one to tell
    throw error;
  }
}

const api: TrainerApi = {
  train,
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

registerTransferHandlers();
expose(api);
