/**
 * Half-precision numbers to and from Float32Array: IEEE 754 binary16 (F16) and
 * bfloat16 (BF16), both ways rounding to nearest, ties to even. The bit method
 * is Fabian Giesen's ("half_to_float_fast", 2012): no tables and no branches on
 * the way in. It is not a number format for arithmetic: everything is computed
 * in f32. Bytes are little-endian, as safetensors stores them and as every
 * machine that runs a browser does.
 */

/**
 * @param out where the values go, [bits.length]
 * @returns f32 values [bits.length]; NaN payloads, infinities and subnormals are kept.
 */
export function float16ToFloat32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  const raw = new Uint32Array(out.buffer, out.byteOffset, out.length);
  // With the exponent moved into f32's place, a product by 2^112 repairs the bias, and normalises subnormals with it.
  const rebias = 2 ** 112;
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i] as number;
    raw[i] = (half & 0x7fff) << 13;
    out[i] = (out[i] as number) * rebias;
    raw[i] = (raw[i] as number) | ((half & 0x8000) << 16) | ((half & 0x7c00) === 0x7c00 ? 0x7f800000 : 0);
  }
  return out;
}

/**
 * @param out where the bits go, [values.length]
 * @returns binary16 bits [values.length]; beyond 65,504 becomes infinity, as IEEE 754 rounds.
 */
export function float32ToFloat16(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  // Bits are read as bits: a NaN that passes through a JavaScript number may lose its payload.
  const raw = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const cell = new Float32Array(1);
  const cellBits = new Uint32Array(cell.buffer);
  for (let i = 0; i < values.length; i++) {
    const bits = raw[i] as number;
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) half = 0x7c00 | ((magnitude >>> 13) & 0x3ff || 0x200); // NaN stays NaN
    else if (magnitude >= 0x477ff000) half = 0x7c00; // 65,520 and more
    else if (magnitude < 0x38800000) {
      cellBits[0] = magnitude;
      cell[0] = (cell[0] ?? 0) + 0.5; // rounds at f16's subnormal unit, 2^-24
      half = cellBits[0] - 0x3f000000;
    } else half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    out[i] = sign | half;
  }
  return out;
}

/**
 * @param out where the values go, [bits.length]
 * @returns f32 values [bits.length]; exact, bfloat16 being the upper half of an f32.
 */
export function bfloat16ToFloat32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  const raw = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) raw[i] = (bits[i] as number) << 16;
  return out;
}

/** Whether no value is NaN or infinite: x · 0 is 0 for finite x only. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) * 0;
  return sum === 0;
}

/** {@link allFinite} of binary16 bits: an exponent of all ones is NaN or infinity. */
export function allFiniteHalves(bits: Uint16Array): boolean {
  let found = 0;
  for (let i = 0; i < bits.length; i++) found |= ((bits[i] as number) & 0x7c00) + 0x400;
  return (found & 0x8000) === 0;
}

/** The largest magnitude among finite values; 0 for none. */
export function largestMagnitude(values: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (size > largest) largest = size;
  }
  return largest;
}
