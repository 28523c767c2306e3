/**
 * Block-wise dynamic quantisation to 8 bits (Dettmers et al. 2022, "8-bit
 * Optimizers via Block-wise Quantization"): each block of 256 numbers is divided
 * by its largest magnitude, and each quotient is replaced by the nearest of 256
 * values that lie dense around zero. The maps are those of bitsandbytes'
 * create_dynamic_map.
 */
export const STATE_BLOCK = 256;
const MAX_EXPONENT_BITS = 7;

/** A map's values, rising, and what finds the nearest of them. */
export interface QuantisationMap {
  /** [256] */
  values: Float32Array;
  /** Between a value and the next, [255]; a quotient on it goes to the lower. */
  middles: Float64Array;
  /** By the upper 16 bits of a quotient as f32: a code that is not above the nearest, [65536]. */
  firstCode: Uint8Array;
}

/** @param signed −1 … 1, for first moments; else 0 … 1, for second moments */
export function dynamicMap(signed: boolean): QuantisationMap {
  const values = [0, 1];
  for (let i = 0; i < MAX_EXPONENT_BITS; i++) {
    const count = 2 ** (signed ? i : i + 1);
    // As torch.linspace(0.1, 1, count + 1) in f32, then the middle of each stretch.
    const boundary = (k: number) => Math.fround(linspace(k, count));
    for (let k = 0; k < count; k++) {
      const mean = Math.fround(Math.fround(boundary(k) + boundary(k + 1)) / 2);
      const value = Math.fround(Math.fround(10 ** (i - MAX_EXPONENT_BITS + 1)) * mean);
      values.push(value, ...(signed ? [-value] : []));
    }
  }
  const sorted = Float32Array.from(values).sort();
  const middles = Float64Array.from({ length: sorted.length - 1 }, (_, i) => (sorted[i]! + sorted[i + 1]!) / 2);
  return { values: sorted, middles, firstCode: firstCodes(middles) };
}

/** From the nearer end, as torch does. */
function linspace(k: number, count: number): number {
  const step = Math.fround(Math.fround(1 - Math.fround(0.1)) / count);
  return k < (count + 1) / 2 ? Math.fround(0.1) + step * k : 1 - step * (count - k);
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function firstCodes(middles: Float64Array): Uint8Array {
  const codes = new Uint8Array(65536);
  for (let high = 0; high < 65536; high++) {
    // The least number with these upper bits: for negative ones that with all lower bits set.
    bits[0] = high >= 0x8000 ? ((high << 16) | 0xffff) >>> 0 : high << 16;
    let code = 0;
    while (code < middles.length && float[0]! > middles[code]!) code++;
    codes[high] = code;
  }
  return codes;
}

/** Numbers of one tensor, quantised. */
export interface Quantised {
  /** [length] */
  codes: Uint8Array;
  /** Of each block, [⌈length / 256⌉]. */
  absmax: Float32Array;
}

/** All zero. */
export function zeroQuantised(length: number, { values }: QuantisationMap): Quantised {
  return { codes: new Uint8Array(length).fill(values.indexOf(0)), absmax: new Float32Array(Math.ceil(length / STATE_BLOCK)) };
}

/** Writes numbers [begin, begin + block.length) of a tensor; `begin` is a multiple of 256. */
export function quantiseBlock(block: Float64Array, to: Quantised, begin: number, length: number, { middles, firstCode }: QuantisationMap): void {
  let largest = 0;
  for (let i = 0; i < length; i++) largest = Math.max(largest, Math.abs(block[i]!));
  const absmax = Math.fround(largest);
  to.absmax[begin / STATE_BLOCK] = absmax;
  const divisor = absmax === 0 ? 1 : absmax;
  for (let i = 0; i < length; i++) {
    const quotient = block[i]! / divisor;
    float[0] = quotient;
    let code = firstCode[bits[0]! >>> 16]!;
    while (code < middles.length && quotient > middles[code]!) code++;
    while (code > 0 && quotient <= middles[code - 1]!) code--; // the table is of f32, which may have rounded up
    to.codes[begin + i] = code;
  }
}
