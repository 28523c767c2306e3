/**
 * Dropout masks made outside the graph, since no build of the runtime has a
 * random operator on every device. A mask holds 0 with probability p and
 * 1 / (1 − p) otherwise (inverted dropout, as PyTorch's). Zeros are placed by
 * drawing the gaps between them, which follow a geometric distribution: one draw
 * for each zero instead of one for each element.
 */
import type { Random } from "../../core/random";

/** @param p probability of a zero, below 1. @returns [length] */
export function dropoutMask(length: number, p: number, random: Random): Float32Array {
  const mask = new Float32Array(length).fill(1 / (1 - p));
  if (p <= 0) return mask;
  const logKeep = Math.log1p(-p);
  for (let i = gap(random, logKeep); i < length; i += 1 + gap(random, logKeep)) mask[i] = 0;
  return mask;
}

const gap = (random: Random, logKeep: number) => Math.floor(Math.log(1 - random.uniform()) / logKeep);
