/**
 * From a corpus to the finished model, by one command and a recipe: prepare,
 * forms, train, export and check. Every stage leaves out what is done, so that
 * the same command goes on where one before was stopped. It can be stopped at
 * any time by SIGINT or SIGTERM: training makes a checkpoint first.
 */
import { mkdirSync } from "node:fs";
import { availableParallelism, constants, setPriority } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DuctusError } from "../../lib/core/errors";
import { checkpointSteps } from "./checkpoint";
import { forms, order, prepare, type StageContext } from "./data-stages";
import { exportModel } from "./export";
import { readRecipe, totalSteps } from "./recipe";
import { Stages, writeWhole } from "./stages";
import { checkRecipe, train, type EngineName } from "./train-stage";

export const USAGE = `npm run -s pretrain -- --work WORK --out DIR [--corpus FILE] [options]

  --corpus FILE      JSON lines ({"kind", "source", "text"}), plain or .xz; needed until WORK is prepared
  --work WORK        where tokens, checkpoints and the log are kept
  --out DIR          where the finished model goes
  --recipe FILE      default: tools/pretrain/recipe.json
  --engine NAME      torch (default; Python by DUCTUS_PYTHON) or node
  --threads N        default: one for each core
  --steps-until N    stop after N steps of the whole run
  --precision NAME   of torch's products: auto (default; bf16 where the hardware has them), f32 or bf16
  --plain            torch without compiling, which takes half a minute to begin
  --bench FILE       lines of the benchmark "base-model", for the model card
  --no-samples       no samples in the model card`;

export interface Settings {
  corpus: string | null;
  work: string;
  out: string;
  recipe: string;
  engine: EngineName;
  threads: number;
  until: number;
  torchArgs: string[];
  bench: string | null;
  samples: boolean;
}

/** @throws DuctusError `app/usage` */
export function parseSettings(argv: readonly string[]): Settings {
  const text = { type: "string" } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { corpus: text, work: text, out: text, recipe: text, engine: text, threads: text, "steps-until": text, precision: text, plain: { type: "boolean" }, bench: text, "no-samples": { type: "boolean" } },
    }));
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
  const { work, out, engine = "torch", precision = "auto" } = values;
  if (work === undefined || out === undefined) throw usage("--work and --out are needed.");
  if (engine !== "torch" && engine !== "node") throw usage("--engine is torch or node.");
  if (!["auto", "f32", "bf16"].includes(precision)) throw usage("--precision is auto, f32 or bf16.");
  const count = (name: "threads" | "steps-until", otherwise: number): number => {
    const given = values[name];
    if (given === undefined) return otherwise;
    if (!/^[1-9]\d{0,8}$/.test(given)) throw usage(`--${name} takes a whole number above 0.`);
    return Number(given);
  };
  return {
    corpus: values.corpus === undefined ? null : resolve(values.corpus), work: resolve(work), out: resolve(out), engine,
    recipe: values.recipe === undefined ? fileURLToPath(new URL("recipe.json", import.meta.url)) : resolve(values.recipe),
    threads: count("threads", availableParallelism()), until: count("steps-until", Infinity),
    torchArgs: ["--precision", precision, ...(values.plain === true ? ["--plain"] : [])],
    bench: values.bench === undefined ? null : resolve(values.bench), samples: values["no-samples"] !== true,
  };
}

const usage = (fault: string): DuctusError => new DuctusError("app/usage", fault, USAGE);

export interface Result {
  /** Steps done of how many. */
  step: number;
  steps: number;
  /** Null where training is not at its end. */
  exported: Awaited<ReturnType<typeof exportModel>> | null;
}

/** @throws DuctusError; the signal's reason where it aborts outside of training, and in training after a checkpoint */
export async function pretrain(settings: Settings, signal: AbortSignal, progress: (text: string) => void): Promise<Result> {
  const { work, corpus } = settings;
  mkdirSync(work, { recursive: true });
  const recipe = readRecipe(settings.recipe);
  const stages = new Stages(work);
  const context: StageContext = { work, recipe, stages, signal, progress };
  const steps = totalSteps(recipe);
  if (corpus !== null && checkpointSteps(work).length === 0) writeRecipe(context); // prepare.py reads it
  await prepare(context, corpus);
  await checkRecipe(context);
  writeRecipe(context);
  await forms(context);
  order(context);
  const step = await train(context, settings);
  signal.throwIfAborted();
  if (step < steps) return { step, steps, exported: null };
  return { step, steps, exported: await exportModel(context, settings) };
}

function writeRecipe({ work, recipe }: StageContext): void {
  writeWhole(join(work, "recipe.json"), `${JSON.stringify(recipe, null, 1)}\n`);
}

/** Other work goes first. */
export function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // A system without priorities.
  }
}
