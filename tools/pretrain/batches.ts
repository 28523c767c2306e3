/**
 * What a step is computed on: sequences of the work folder's token files in the
 * order of its order files, by micro-batches; and the windows that held-out bits
 * are measured on. Whether the files suit the recipe is checked where they are
 * opened.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import "../../lib/zod";
import * as z from "zod";
import { DuctusError } from "../../lib/core/errors";
import { FROM_FORMS, orderFile, sequenceCount } from "./order";
import { phaseShape, phaseSteps, PHASES, type Phase, type Recipe } from "./recipe";

/** T + 1 tokens: T inputs and the T that follow them. */
export type Sequence = Uint16Array;

const documentsSchema = z.array(z.looseObject({ bytes: z.int().nonnegative(), tokens: z.int().nonnegative() }));

export function phaseAt(recipe: Recipe, step: number): Phase {
  return PHASES.find((phase) => step < phaseSteps(recipe, phase).end) ?? "long";
}

export class Data {
  private constructor(
    private readonly recipe: Recipe,
    private readonly files: { train: Uint16Array; forms: Uint16Array; held: Uint16Array },
    private readonly orders: ReadonlyMap<Phase, Uint32Array>,
    /** Of held.bin: UTF-8 bytes of its documents over its tokens. */
    readonly heldBytesPerToken: number,
  ) {}

  /** @throws DuctusError `data/work` where a file is missing or does not suit the recipe */
  static open(work: string, recipe: Recipe): Data {
    const tokens = (name: string) => new Uint16Array(aligned(read(work, name), 2));
    const wanted = PHASES.filter((phase) => recipe[phase].steps > 0);
    const usesForms = wanted.some((phase) => phaseShape(recipe, phase).fromForms > 0);
    const files = { train: tokens("train.bin"), held: tokens("held.bin"), forms: usesForms ? tokens("forms_train.bin") : new Uint16Array(0) };
    for (const [name, file] of Object.entries(files)) if (file.some((token) => token >= recipe.model.vocabSize)) throw unsuited(`${name}.bin has tokens that the recipe's model does not know`);
    const orders = new Map(wanted.map((phase) => [phase, new Uint32Array(aligned(read(work, orderFile(phase)), 4))]));
    for (const [phase, order] of orders) checkOrder(recipe, phase, order, files);
    if (files.held.length <= recipe.sequenceLength + 1) throw unsuited("held.bin is shorter than a sequence");
    return new Data(recipe, files, orders, textBytes(work, "held.docs.json") / files.held.length);
  }

  /** The micro-batches of a step, counted through all phases. */
  microBatches(step: number): Sequence[][] {
    const phase = phaseAt(this.recipe, step);
    const { sequenceLength, microBatch, sequences } = phaseShape(this.recipe, phase);
    const row = (step - phaseSteps(this.recipe, phase).first) * sequences;
    const taken = Array.from(this.orders.get(phase)!.subarray(row, row + sequences), (entry) => {
      const file = entry >= FROM_FORMS ? this.files.forms : this.files.train;
      const begin = (entry >= FROM_FORMS ? entry - FROM_FORMS : entry) * sequenceLength;
      return file.subarray(begin, begin + sequenceLength + 1);
    });
    return inGroups(taken, microBatch);
  }

  heldOut(): Sequence[][] {
    const { evaluateWindows: windows, sequenceLength, microBatch } = this.recipe;
    const last = this.files.held.length - sequenceLength - 1;
    const begins = Array.from({ length: windows }, (_, i) => Math.floor((i * last) / (windows - 1)));
    return inGroups(begins.map((begin) => this.files.held.subarray(begin, begin + sequenceLength + 1)), microBatch);
  }
}

const inGroups = <T>(items: readonly T[], size: number): T[][] => Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

function checkOrder(recipe: Recipe, phase: Phase, order: Uint32Array, files: { train: Uint16Array; forms: Uint16Array }): void {
  const { sequenceLength, sequences } = phaseShape(recipe, phase);
  const [train, forms] = [files.train, files.forms].map((file) => sequenceCount(file.length, sequenceLength)) as [number, number];
  const fits = order.length === recipe[phase].steps * sequences && order.every((entry) => (entry >= FROM_FORMS ? entry - FROM_FORMS < forms : entry < train));
  if (!fits) throw unsuited(`${orderFile(phase)} is not of this recipe and these tokens`);
}

/** Of all documents of a list. */
function textBytes(work: string, name: string): number {
  try {
    return documentsSchema.parse(JSON.parse(new TextDecoder().decode(read(work, name)))).reduce((sum, { bytes }) => sum + bytes, 0);
  } catch (error) {
    throw error instanceof DuctusError ? error : unsuited(`${name} is no list of documents`);
  }
}

function read(work: string, name: string): Uint8Array {
  try {
    return readFileSync(join(work, name));
  } catch (cause) {
    throw new DuctusError("data/work", `The work folder has no file ${name} to be read.`, "Prepare the data first.", { cause });
  }
}

/** @throws DuctusError where the file was cut within a number */
function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  if (bytes.byteLength % size !== 0) throw unsuited("a file is cut within a number");
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

const unsuited = (fault: string): DuctusError => new DuctusError("data/work", `The work folder cannot be used: ${fault}.`, "Prepare the data again.");
