/**
 * Half-precision numbers to and from Float32Array: IEEE 754 binary16 (F16) and
 * bfloat16 (BF16), both ways rounding to nearest, ties to even. The bit method
 * is Fabian Giesen's ("half_to_float_fast", 2012): no tables and no branches on
 * the way in. It is not a number format for arithmetic: everything is computed
 * in f32. Bytes are little-endian, as safetensors stores them and as every
 * machine that runs a browser does.
 */

/** @returns f32 values [bits.length]; NaN payloads, infinities and subnormals are kept. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  const raw = new Uint32Array(out.buffer);
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

/** @returns binary16 bits [values.length]; beyond 65,504 becomes infinity, as IEEE 754 rounds. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
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

/** @returns f32 values [bits.length]; exact, bfloat16 being the upper half of an f32. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  const raw = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) raw[i] = (bits[i] as number) << 16;
  return out;
}

/** Whether no value is NaN or infinite: x · 0 is 0 for finite x only. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) * 0;
  return sum === 0;
}
