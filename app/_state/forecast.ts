/**
 * What the next run would take, as the worker says it: asked anew a moment
 * after something has changed, the last answer wins. It judges nothing itself.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";
import type { SftConfig } from "../../lib/train/sft/config";
import { differingSettings } from "../../lib/train/sft/setting-words";
import type { PredictedRun } from "../../workers/protocol";
import { lookAtDevice } from "../_engine/device";
import { predict } from "../_engine/trainer";
import { createStore } from "./store";

export interface Forecast {
  /** Of what was asked last; stays on show while a new one is waited for. */
  predicted: PredictedRun | null;
  /** What the answer on show is about. */
  about: ForecastQuestion | null;
  waiting: boolean;
  error: SerializedError | null;
}

export interface ForecastQuestion {
  handId: string;
  config: SftConfig;
  startAdapterId: string | null;
}

export const forecast = createStore<Forecast>({ predicted: null, about: null, waiting: false, error: null });

/** While settings are being changed. */
const SETTLE_MS = 250;
let asked = 0;

/** @returns what withdraws the question */
export function askForecast(question: ForecastQuestion): () => void {
  const { handId, config, startAdapterId } = question;
  const mine = ++asked;
  forecast.set((f) => ({ ...f, waiting: true }));
  const timer = setTimeout(() => {
    void answer().then(
      (predicted) => { if (mine === asked) forecast.set({ predicted, about: question, waiting: false, error: null }); },
      (error: unknown) => { if (mine === asked) forecast.set({ predicted: null, about: null, waiting: false, error: serializeError(error) }); },
    );
  }, SETTLE_MS);
  const answer = async (): Promise<PredictedRun> => {
    const { webgpu, threads } = await lookAtDevice();
    return predict({ handId, config, device: { kind: webgpu ? "webgpu" : "wasm", threads }, ...(startAdapterId === null ? {} : { startAdapterId }) });
  };
  return () => clearTimeout(timer);
}

/** Whether what is on show was said of this very run. */
export function isAbout({ about }: Forecast, { handId, config, startAdapterId }: ForecastQuestion): boolean {
  return about?.handId === handId && about.startAdapterId === startAdapterId && differingSettings(about.config, config).length === 0;
}
