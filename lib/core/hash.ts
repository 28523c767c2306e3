/**
 * SHA-256 as the lower-case hexadecimal text in which files and data are named.
 * By the platform where it has one; a page whose address is not secure (http
 * from another machine) has none, and computes it here (FIPS 180-4), slower.
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  return subtle === undefined ? sha256HexNow(bytes) : hex(new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)));
}

/** The same at once, for many small pieces: the platform's costs a turn of the event loop each. */
export function sha256HexNow(bytes: Uint8Array): string {
  return hex(sha256(bytes));
}

const hex = (digest: Uint8Array): string => Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The first 32 bits of the fractional parts of the roots of the first primes: cube roots of 64, square roots of 8. */
const [CONSTANTS, INITIAL] = ((): [Uint32Array, Uint32Array] => {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const fraction = (root: number) => (root - Math.floor(root)) * 2 ** 32;
  return [Uint32Array.from(primes, (n) => fraction(Math.cbrt(n))), Uint32Array.from(primes.slice(0, 8), (n) => fraction(Math.sqrt(n)))];
})();

const BLOCK = 64;

function sha256(bytes: Uint8Array): Uint8Array {
  const state = INITIAL.slice();
  const words = new Uint32Array(64);
  const whole = bytes.byteLength - (bytes.byteLength % BLOCK);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += BLOCK) compress(state, words, view, at);
  // What is left, a bit that ends it, and the length in bits as 64 of them.
  const left = bytes.byteLength - whole;
  const tail = new Uint8Array(left < BLOCK - 8 ? BLOCK : 2 * BLOCK);
  tail.set(bytes.subarray(whole));
  tail[left] = 0x80;
  const end = new DataView(tail.buffer);
  end.setUint32(tail.length - 8, Math.floor(bytes.byteLength / 2 ** 29));
  end.setUint32(tail.length - 4, bytes.byteLength * 8);
  for (let at = 0; at < tail.length; at += BLOCK) compress(state, words, end, at);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => digest.setUint32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

/** @param words scratch, 64 of them */
function compress(state: Uint32Array, words: Uint32Array, view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) words[i] = view.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15]!, y = words[i - 2]!;
    words[i] = words[i - 16]! + words[i - 7]! + (right(x, 7) ^ right(x, 18) ^ (x >>> 3)) + (right(y, 17) ^ right(y, 19) ^ (y >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const one = (h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g)) + CONSTANTS[i]! + words[i]!) | 0;
    const two = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = state[i]! + word));
}

const right = (word: number, by: number): number => (word >>> by) | (word << (32 - by));
