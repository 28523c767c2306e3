/**
 * Which sequences each step takes: file order-{phase}.bin, uint32, little-endian,
 * one row of `phaseShape(recipe, phase).sequences` entries for each step of the
 * phase. An entry is the number i of a sequence in train.bin, or with FROM_FORMS
 * (its highest bit) in forms_train.bin; the sequence is the tokens
 * [i · T, i · T + T] of that file, T + 1 of them. Those from the forms come
 * first. Sequences are taken in permutations, a new one
 * each time all have been taken, so that both engines see the same data in the
 * same order.
 */
import { Random } from "../../lib/core/random";
import { phaseShape, phaseSteps, PHASES, type Phase, type Recipe } from "./recipe";

export const FROM_FORMS = 0x8000_0000;

export const orderFile = (phase: Phase): string => `order-${phase}.bin`;

/** How many sequences of T predicted tokens a file of tokens has. */
export const sequenceCount = (tokens: number, sequenceLength: number): number => Math.max(0, Math.floor((tokens - 1) / sequenceLength));

/** The numbers at [start, start + count) of endless permutations of 0 … size − 1. */
class Stream {
  private epoch = -1;
  private order = new Uint32Array(0);

  constructor(private readonly name: string, private readonly size: number) {}

  at(position: number): number {
    const epoch = Math.floor(position / this.size);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.order = Uint32Array.from(new Random(`${this.name}/${epoch}`).shuffle(Array.from({ length: this.size }, (_, i) => i)));
    }
    return this.order[position % this.size] as number;
  }
}

/**
 * The entries of a phase, [steps, sequences].
 * @param tokens of train.bin and of forms_train.bin
 * @throws RangeError where a file is too short for one sequence
 */
export function orderOf(recipe: Recipe, phase: Phase, tokens: { train: number; forms: number }): Uint32Array<ArrayBuffer> {
  const { sequenceLength, sequences, fromForms } = phaseShape(recipe, phase);
  const { first, end } = phaseSteps(recipe, phase);
  const size = { train: sequenceCount(tokens.train, sequenceLength), forms: sequenceCount(tokens.forms, sequenceLength) };
  if (end > first && ((sequences > fromForms && size.train === 0) || (fromForms > 0 && size.forms === 0))) throw new RangeError(`too few tokens for sequences of ${sequenceLength}`);
  const train = new Stream(`order/${recipe.seed}/train/${sequenceLength}`, size.train);
  const forms = new Stream(`order/${recipe.seed}/forms/${sequenceLength}`, size.forms);
  let { trainTaken, formsTaken } = takenBefore(recipe, phase);
  const entries = new Uint32Array((end - first) * sequences);
  for (let at = 0; at < entries.length; at++) {
    entries[at] = at % sequences < fromForms ? FROM_FORMS + forms.at(formsTaken++) : train.at(trainTaken++);
  }
  return entries;
}

/** Sequences of the phase's length that were taken in earlier phases, so that nothing is repeated before all was seen. */
function takenBefore(recipe: Recipe, phase: Phase): { trainTaken: number; formsTaken: number } {
  const now = phaseShape(recipe, phase);
  let trainTaken = recipe.init === null || phase === "long" ? 0 : (recipe.init.seenSteps * recipe.tokensPerStep) / recipe.sequenceLength;
  let formsTaken = 0;
  for (const before of PHASES.slice(0, PHASES.indexOf(phase))) {
    const shape = phaseShape(recipe, before);
    if (shape.sequenceLength !== now.sequenceLength) continue;
    trainTaken += recipe[before].steps * (shape.sequences - shape.fromForms);
    formsTaken += recipe[before].steps * shape.fromForms;
  }
  return { trainTaken, formsTaken };
}
