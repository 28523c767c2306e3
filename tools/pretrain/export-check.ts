/**
 * Whether an exported folder is what was trained: our own reader opens it and
 * gives the logits of the checkpoint's f32 weights but for the rounding to f16;
 * transformers opens it (with DUCTUS_PYTHON set) and gives the logits that we
 * give. The text is held out, so the model has not learned it by heart.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { DuctusError } from "../../lib/core/errors";
import { parseModelConfig, type ModelConfig } from "../../lib/train/model/config";
import { createTokenizer, type TextTokenizer } from "../../lib/train/model/tokenizer";
import { loadWeights } from "../../lib/train/model/weights";
import type { Backend } from "../../lib/train/runtime/backend";
import { positionLogits } from "../cli/position-logits";
import { readTokens } from "./corpus";
import { modelConfigOf, type Weights } from "./model";
import { runPython } from "./python";
import type { Recipe } from "./recipe";

/** Rounding weights to f16 moves each by at most 2⁻¹¹ of itself; measured at 8 layers: 0.13 % of the logits' size. */
const MOST_BY_ROUNDING = 0.01;
/** Between our runtime and torch, both in f32 from the same weights; of the logits' size. */
const MOST_BETWEEN_RUNTIMES = 1e-4;
const POSITIONS = 64;
/** By which rounding to f16 moves a number at most, of itself; and where it is subnormal there. */
const HALF_STEP = 2 ** -11, SMALLEST_HALF = 2 ** -25;
const LOOK = "Do not use this folder: export it again, and look for the fault.";

export interface OpenedModel {
  config: ModelConfig;
  weights: Weights;
  tokenizer: TextTokenizer;
}

/** @throws DuctusError where our reader refuses the folder */
export function openExported(out: string): OpenedModel {
  const json = (name: string): unknown => JSON.parse(readFileSync(join(out, name), "utf8"));
  const config = parseModelConfig(json("config.json"));
  const weights = new Map([...loadWeights(config, new Uint8Array(readFileSync(join(out, "model.safetensors"))))].map(([name, { data }]) => [name, data]));
  return { config, weights, tokenizer: createTokenizer(json("tokenizer.json"), json("tokenizer_config.json")) };
}

export interface CheckResult {
  positions: number;
  /** Largest difference from the checkpoint's logits, over the root of their mean square. */
  rounding: number;
  /** The same between transformers and us on the exported folder; null where there is no Python. */
  transformers: number | null;
}

/**
 * @param trained the checkpoint's weights
 * @throws DuctusError `model/export` where a difference is larger than rounding explains
 */
export async function checkExport(backend: Backend, recipe: Pick<Recipe, "model">, work: string, out: string, trained: Weights, signal: AbortSignal): Promise<CheckResult> {
  const { config, weights } = openExported(out);
  for (const [name, values] of trained) {
    const rounded = weights.get(name);
    if (rounded?.length !== values.length || values.some((value, i) => !(Math.abs((rounded[i] as number) - value) <= Math.max(HALF_STEP * Math.abs(value), SMALLEST_HALF)))) {
      throw new DuctusError("model/export", `“${name}” in the exported model is not what was trained.`, LOOK);
    }
  }
  const ids = [...readTokens(join(work, "held.bin")).subarray(0, Math.min(POSITIONS, config.maxPositions))];
  const exported = await allLogits(backend, config, weights, ids);
  const rounding = difference(exported, await allLogits(backend, modelConfigOf(recipe), trained, ids));
  if (!(rounding <= MOST_BY_ROUNDING)) throw differs("from those of the checkpoint", rounding);
  const transformers = process.env["DUCTUS_PYTHON"] === undefined ? null : difference(await logitsOfTransformers(out, ids, signal), exported);
  if (transformers !== null && !(transformers <= MOST_BETWEEN_RUNTIMES)) throw differs("between transformers and Ductus", transformers);
  return { positions: ids.length, rounding, transformers };
}

async function allLogits(backend: Backend, config: ModelConfig, weights: Weights, ids: readonly number[]): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for await (const logits of positionLogits(backend, config, weights, null, ids)) rows.push(logits.slice());
  return rows;
}

const printedSchema = z.object({ logits: z.array(z.array(z.number())) });

async function logitsOfTransformers(out: string, ids: readonly number[], signal: AbortSignal): Promise<Float32Array[]> {
  let printed = "";
  await runPython([fileURLToPath(new URL("../reference/check_adapter.py", import.meta.url)), "--base", out, "--ids", ids.join()], signal, (line) => (printed += line));
  return printedSchema.parse(JSON.parse(printed)).logits.map((row) => Float32Array.from(row));
}

/** Largest difference over the root of the mean square of `reference`; both [positions, vocab]. NaN where the shapes differ. */
function difference(values: readonly Float32Array[], reference: readonly Float32Array[]): number {
  if (values.length !== reference.length) return NaN;
  let largest = 0, squares = 0, count = 0;
  for (const [t, row] of reference.entries()) {
    const other = values[t] as Float32Array;
    if (other.length !== row.length) return NaN;
    for (const [i, value] of row.entries()) {
      const gap = Math.abs((other[i] as number) - value);
      if (!(gap <= largest)) largest = gap; // NaN too
      squares += value * value;
    }
    count += row.length;
  }
  return largest / Math.sqrt(squares / count);
}

function differs(what: string, by: number): DuctusError {
  return new DuctusError("model/export", `The logits of the exported model differ ${what} by ${(100 * by).toPrecision(3)} % of their size.`, LOOK);
}
