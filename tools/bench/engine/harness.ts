/** The engine in a dedicated worker, as the site runs it: what the benchmark calls there. One subject of a kind at a time. */
import { expose } from "comlink";
import { serializeError } from "../../../lib/core/errors";
import type { ExecutionPlan } from "../../../lib/train/execution/types";
import type { Storage } from "../../../lib/train/model/held";
import type { Backend } from "../../../lib/train/runtime/backend";
import { openDevice } from "../../../lib/train/runtime/device";
import type { Outcome } from "../../../e2e/engine/harness";
import { wasmBytes, watch } from "../../../e2e/engine/probes";
import { modelOf, SIZES, type SizeName } from "./sizes";
import { DecodeSubject, ProductSubject, TrainSubject, type Stepped } from "./subject";
import { profiledSteps, profiling } from "./trace";

watch();
/** What the runtime prints goes here while it is being collected. Set up before the runtime is loaded, which keeps console.log as it finds it. */
let printed: string[] | null = null;
const { log } = console;
console.log = (...values: unknown[]) => (printed ? void printed.push(values.map(String).join(" ")) : log(...values));

let device: Promise<Backend> | null = null;
let trainer: TrainSubject | null = null;
let product: ProductSubject | null = null;
let decoder: DecodeSubject | null = null;

/** With the number of threads that the product chooses. */
const backend = (): Promise<Backend> => (device ??= openDevice("wasm").then((opened) => opened.backend));

async function attempt<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: serializeError(error) };
  }
}

const harness = {
  threads: (): Promise<Outcome<number>> => attempt(async () => (await backend()).threads),

  /** Gives the plan's name. */
  openTrainer: (size: SizeName, storage: Storage, plan: ExecutionPlan | null): Promise<Outcome<string>> => attempt(async () => {
    trainer = await TrainSubject.create(await backend(), SIZES[size], storage, plan ?? undefined);
    return trainer.plan;
  }),
  step: (): Promise<Outcome<Stepped>> => attempt(async () => trainer!.step()),

  openProduct: (size: SizeName): Promise<Outcome<void>> => attempt(async () => {
    const { batch, seq } = SIZES[size];
    const { hiddenSize, intermediateSize } = modelOf(SIZES[size]);
    product = await ProductSubject.create(await backend(), batch * seq, hiddenSize, intermediateSize);
  }),
  multiply: (): Promise<Outcome<number>> => attempt(async () => product!.run()),

  openDecoder: (size: SizeName): Promise<Outcome<void>> => attempt(async () => {
    decoder = await DecodeSubject.create(await backend(), SIZES[size]);
  }),
  decode: (): Promise<Outcome<number>> => attempt(async () => decoder!.run()),

  /** Profiles as JSON, of each session, and the times of the steps after the warm-up. */
  profile: (size: SizeName, storage: Storage, plan: ExecutionPlan | null): Promise<Outcome<{ traces: string[]; times: number[] }>> => attempt(async () => {
    const profiled = profiling(await backend(), "profile");
    const times = await profiledSteps(profiled.backend, SIZES[size], storage, plan ?? undefined);
    const lines: string[] = (printed = []);
    profiled.end();
    printed = null;
    return { traces: lines.join("\n").split(/^(?=\[$)/m).filter((trace) => trace.startsWith("[")), times };
  }),

  /** Of all wasm memories of this worker; they never shrink. */
  wasmBytes: (): Promise<Outcome<number>> => attempt(async () => wasmBytes()),
};

export type Harness = typeof harness;
expose(harness);
