/**
 * Counts the typed arrays and buffers that are made from the moment this module
 * is imported, by constructors, copies and the text encoder; not the engine's
 * own objects and strings, which the thread's heap limit bounds. Imported before
 * all else, since libraries keep their own references to what it replaces. Never
 * part of the product.
 */
export const counts = { largest: 0, all: 0, reads: 0, bytesRead: 0 };

type Maker = new (...args: unknown[]) => { byteLength: number };

const NAMES = [
  "ArrayBuffer", "SharedArrayBuffer", "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
  "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array",
];

/** How many elements a constructor's first argument asks for; none where it is a buffer, which is only looked at. */
function requested(first: unknown): number {
  if (typeof first === "number") return first;
  if (first instanceof ArrayBuffer || first instanceof SharedArrayBuffer) return 0;
  return (first as { length?: number } | undefined)?.length ?? 0;
}

function note(bytes: number): void {
  counts.largest = Math.max(counts.largest, bytes);
  counts.all += bytes;
}

const world = globalThis as unknown as Record<string, Maker>;
for (const name of NAMES) {
  const Original = world[name]!;
  const width = (Original as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
  world[name] = new Proxy(Original, {
    construct(target, args: unknown[], newTarget) {
      note(requested(args[0]) * width);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
}

/** Methods that make new ones without asking the constructors above. */
const MAKERS: [prototype: object, method: string][] = [
  ...["slice", "map", "filter"].map((method): [object, string] => [Object.getPrototypeOf(Uint8Array.prototype) as object, method]),
  [ArrayBuffer.prototype, "slice"], [TextEncoder.prototype, "encode"],
];
for (const [prototype, method] of MAKERS) {
  const methods = prototype as Record<string, (...args: unknown[]) => { byteLength: number }>;
  const original = methods[method]!;
  methods[method] = function (this: unknown, ...args) {
    const made = original.apply(this, args);
    note(made.byteLength);
    return made;
  };
}
