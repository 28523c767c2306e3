/**
 * A checkpoint of a pretraining run, the same for both engines, so that one can
 * go on where the other stopped: checkpoint-{step}.safetensors, f32, where
 * {step} steps have been done. The weights stand under their Hugging Face names,
 * which all begin with `model.`; beside them muon.{name} (momentum),
 * adam.{name}.exp_avg and .exp_avg_sq, and average.{name} where the recipe keeps
 * a running mean. Notes: ductus_pretraining, step, optimizer_steps. What data
 * comes next follows from the step and the order files.
 */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuctusError } from "../../lib/core/errors";
import { readSafetensors, toFloat32, writeSafetensors, type FileKind, type TensorToWrite } from "../../lib/train/adapter/safetensors";
import { weightShapes } from "../../lib/train/model/weights";
import { drawnWeights, folderWeights, isBlockMatrix, modelConfigOf, type Weights } from "./model";
import { phaseSteps, PHASES, type Recipe } from "./recipe";

export interface Checkpoint {
  /** Steps done. */
  step: number;
  /** Updates that the optimizers have made: fewer than `step` where they began anew. */
  optimizerSteps: number;
  weights: Weights;
  /** Momentum of each matrix of the blocks. */
  muon: Weights;
  /** Moments of each other tensor. */
  adam: { first: Weights; second: Weights };
  /** Null where the recipe keeps none. */
  average: Weights | null;
}

const VERSION = "1";
const KIND: FileKind = { area: "model", label: "The checkpoint" };
const NAME = /^checkpoint-(\d+)\.safetensors$/;

export const checkpointFile = (step: number): string => `checkpoint-${step}.safetensors`;

/** Steps of a folder's checkpoints, rising. */
export const checkpointSteps = (work: string): number[] =>
  (existsSync(work) ? readdirSync(work) : []).flatMap((name) => { const match = NAME.exec(name); return match ? [Number(match[1])] : []; }).sort((a, b) => a - b);

/** A run's beginning: the recipe's weights, and optimizers that know nothing. */
export function firstCheckpoint(recipe: Recipe): Checkpoint {
  const weights = recipe.init ? folderWeights(recipe, recipe.init.folder) : drawnWeights(recipe);
  const zeros = (wanted: (name: string) => boolean): Weights => new Map([...weights].filter(([name]) => wanted(name)).map(([name, { length }]) => [name, new Float32Array(length)]));
  const others = (name: string) => !isBlockMatrix(name);
  return {
    step: 0, optimizerSteps: 0, weights, muon: zeros(isBlockMatrix), adam: { first: zeros(others), second: zeros(others) },
    average: recipe.average && new Map([...weights].map(([name, data]) => [name, data.slice()])),
  };
}

/** Writes a run's first checkpoint where the folder has none; both engines begin with one. */
export function ensureCheckpoint(work: string, recipe: Recipe): void {
  if (checkpointSteps(work).length === 0) writeCheckpoint(work, recipe, firstCheckpoint(recipe));
}

/** Under its name only when it is whole and on the disk. Older ones go, but for the last two and those at the end of a phase. */
export function writeCheckpoint(work: string, recipe: Recipe, checkpoint: Checkpoint): void {
  const path = join(work, checkpointFile(checkpoint.step));
  const file = openSync(`${path}.part`, "w");
  try {
    writeFileSync(file, encode(recipe, checkpoint));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.part`, path);
  const ends = PHASES.map((phase) => phaseSteps(recipe, phase).end);
  for (const step of checkpointSteps(work).slice(0, -2)) if (!ends.includes(step)) rmSync(join(work, checkpointFile(step)));
}

function encode(recipe: Pick<Recipe, "model">, { step, optimizerSteps, weights, muon, adam, average }: Checkpoint): Uint8Array {
  const shapes = weightShapes(modelConfigOf(recipe));
  const entries = (tensors: Weights, rename: (name: string) => string): TensorToWrite[] => [...tensors].map(([name, data]) => ({ name: rename(name), shape: shapes.get(name) ?? [data.length], data }));
  return writeSafetensors([
    ...entries(weights, (name) => name), ...entries(muon, (name) => `muon.${name}`),
    ...entries(adam.first, (name) => `adam.${name}.exp_avg`), ...entries(adam.second, (name) => `adam.${name}.exp_avg_sq`),
    ...entries(average ?? new Map<string, Float32Array>(), (name) => `average.${name}`),
  ], { ductus_pretraining: VERSION, step: String(step), optimizer_steps: String(optimizerSteps) });
}

/**
 * @param step of the checkpoint; the newest if absent
 * @throws DuctusError `train/no-checkpoint`, `train/checkpoint-other` where it does not fit the recipe's model, `model/damaged`
 */
export function readCheckpoint(work: string, recipe: Recipe, step = checkpointSteps(work).at(-1)): Checkpoint {
  if (step === undefined) throw new DuctusError("train/no-checkpoint", `There is no checkpoint in ${work}.`, "Begin the run anew.");
  const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(join(work, checkpointFile(step)))), KIND);
  const other = (what: string) => new DuctusError("train/checkpoint-other", `The checkpoint of step ${step} is of another run: ${what}.`, "Begin the run anew, or take another folder.");
  if (metadata["ductus_pretraining"] !== VERSION || metadata["step"] !== String(step)) throw other("its notes do not fit");
  const optimizerSteps = Number(metadata["optimizer_steps"]);
  if (!Number.isSafeInteger(optimizerSteps) || optimizerSteps < 0 || optimizerSteps > step) throw other("its notes do not fit");
  const unread = new Set(tensors.keys());
  const shapes = weightShapes(modelConfigOf(recipe));
  const take = (wanted: (name: string) => boolean, rename: (name: string) => string): Weights => new Map([...shapes].filter(([name]) => wanted(name)).map(([name, shape]) => {
    const tensor = tensors.get(rename(name));
    if (tensor?.shape.join() !== shape.join()) throw other(`“${rename(name)}” is missing or of another shape`);
    unread.delete(rename(name));
    return [name, toFloat32(tensor, KIND)];
  }));
  const all = () => true, others = (name: string) => !isBlockMatrix(name);
  const checkpoint: Checkpoint = {
    step, optimizerSteps, weights: take(all, (name) => name), muon: take(isBlockMatrix, (name) => `muon.${name}`),
    adam: { first: take(others, (name) => `adam.${name}.exp_avg`), second: take(others, (name) => `adam.${name}.exp_avg_sq`) },
    average: [...unread].some((name) => name.startsWith("average.")) ? take(all, (name) => `average.${name}`) : null,
  };
  const [left] = unread;
  if (left !== undefined) throw other(`it also holds “${left.slice(0, 80)}”`);
  return checkpoint;
}
