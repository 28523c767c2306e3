/**
 * Seeded damage to files: bytes, JSON values, and safetensors files as what
 * they are (length, header, data). What is damaged and what must come of it is
 * fuzz-kinds.ts. Never part of the product.
 */
import type { Random } from "../../core/random";
import { concat } from "./checkpoint";
import { damageLayout } from "./fuzz-layout";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (content: string) => new TextEncoder().encode(content);

/** JSON text that stands for a value which JSON.stringify could not write. */
class Raw {
  constructor(readonly json: string) {}
}

type Json = null | boolean | number | string | Json[] | JsonObject | Raw;
/** Pairs, so that a key may stand twice. */
class JsonObject {
  constructor(readonly pairs: [string, Json][]) {}
}

function wrap(value: unknown): Json {
  if (Array.isArray(value)) return value.map(wrap);
  if (typeof value === "object" && value !== null) return new JsonObject(Object.entries(value).map(([key, inner]) => [key, wrap(inner)]));
  return value as Json;
}

function print(value: Json): string {
  if (value instanceof Raw) return value.json;
  if (value instanceof JsonObject) return `{${value.pairs.map(([key, inner]) => `${JSON.stringify(key)}:${print(inner)}`).join(",")}}`;
  if (Array.isArray(value)) return `[${value.map(print).join(",")}]`;
  return JSON.stringify(value);
}

const DEEP = 20_000;
const STRANGE = [
  "null", "true", "false", "-1", "0", "1", "2", "3", "16", "1.5", "1e308", "1e999", "-0", "NaN", "Infinity", "4294967296", "9007199254740991", "9007199254740993", "1e-320",
  '""', '"x"', '"F16"', '"__proto__"', '"../model.safetensors"', '"\\ud800"', '"\\u0000"', `"${"a".repeat(5000)}"`, "[]", "{}", "[[]]", '{"a":1,"a":2}', '{"__proto__":{"x":1}}',
  `${"[".repeat(DEEP)}${"]".repeat(DEEP)}`, `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`,
];

interface Place {
  get: () => Json;
  set: (value: Json) => void;
  /** What it stands in, and where there; null for the root. */
  parent: Json;
  index: number;
}

/** Every place of a tree is reached, those near the root more often. */
function damageTree(root: Json, random: Random): Json {
  const place: { value: Json } = { value: root };
  let holder: Place = { get: () => place.value, set: (value) => { place.value = value; }, parent: null, index: 0 };
  for (let depth = 0; depth < 12; depth++) {
    const here = holder.get();
    const size = here instanceof JsonObject ? here.pairs.length : Array.isArray(here) ? here.length : 0;
    if (size === 0 || random.int(8) === 0) break;
    const index = random.int(size);
    if (here instanceof JsonObject) holder = { get: () => here.pairs[index]![1], set: (value) => { here.pairs[index]![1] = value; }, parent: here, index };
    else if (Array.isArray(here)) holder = { get: () => here[index]!, set: (value) => { here[index] = value; }, parent: here, index };
  }
  damagePlace(holder, random);
  return place.value;
}

function damagePlace({ get, set, parent, index }: Place, random: Random): void {
  const value = get();
  switch (random.int(8)) {
    case 0: // gone
      if (parent instanceof JsonObject) parent.pairs.splice(index, 1);
      else if (Array.isArray(parent)) parent.splice(index, 1);
      return;
    case 1: // twice
      if (parent instanceof JsonObject) parent.pairs.splice(random.int(parent.pairs.length + 1), 0, [parent.pairs[index]![0], random.int(2) === 0 ? value : new Raw(random.pick(STRANGE))]);
      else if (Array.isArray(parent)) parent.splice(random.int(parent.length + 1), 0, value);
      return;
    case 2: // another name, or a new one
      if (parent instanceof JsonObject) {
        if (random.int(2) === 0) parent.pairs.push([random.pick(["extra", "__proto__", "model.extra.weight", "quantization_config"]), new Raw(random.pick(STRANGE))]);
        else parent.pairs[index]![0] = random.pick(["__proto__", "constructor", "", `${parent.pairs[index]![0]}x`, random.pick(parent.pairs)[0]]);
      }
      return;
    case 3: // exchanged with a neighbour
      if (parent instanceof JsonObject) {
        const other = random.pick(parent.pairs);
        set(other[1]);
        other[1] = value;
      } else if (Array.isArray(parent)) {
        const other = random.int(parent.length);
        set(parent[other]!);
        parent[other] = value;
      }
      return;
    case 4: // nudged
      if (typeof value === "number") set(random.pick([value + 1, value - 1, value * 2, -value, value + 0.5, Math.floor(value / 2), value + 4, value * 1e6]));
      else if (typeof value === "string") set(text(damageBytes(bytesOf(value), random)));
      else if (typeof value === "boolean") set(!value);
      else set(new Raw(random.pick(STRANGE)));
      return;
    default:
      set(new Raw(random.pick(STRANGE)));
  }
}

/** Changes one thing in a JSON text: mostly a value, at times its bytes. */
export function damageJson(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.int(4) === 0) return damageBytes(bytes, random);
  try {
    return bytesOf(print(damageTree(wrap(JSON.parse(text(bytes))), random)));
  } catch {
    return damageBytes(bytes, random); // damaged before: no JSON any more, or too deep
  }
}

const SIGNS = '0123456789",:[]{}-.eE\\ \n';

/** Changes bytes, anywhere. */
export function damageBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const out = bytes.slice();
  if (out.length === 0) return Uint8Array.of(random.int(256));
  const at = random.int(out.length);
  const stretch = out.subarray(at, at + 1 + random.int(random.int(8) === 0 ? out.length : 40));
  switch (random.int(9)) {
    case 0:
      out[at] = random.int(256);
      return out;
    case 1:
      out[at]! ^= 1 << random.int(8);
      return out;
    case 2:
      out[at] = SIGNS.charCodeAt(random.int(SIGNS.length));
      return out;
    case 3:
      stretch.fill(random.pick([0, 0xff, 0x7f, 0x20]));
      return out;
    case 4: // cut off
      return out.slice(0, at);
    case 5: // cut out
      return concat([out.subarray(0, at), out.subarray(at + stretch.length)]);
    case 6: // doubled
      return concat([out.subarray(0, at), stretch, out.subarray(at)]);
    case 7: // something behind
      return concat([out, stretch]);
    default: // copied elsewhere
      out.copyWithin(random.int(out.length), at, at + stretch.length);
      return out;
  }
}

/** Bit patterns that a careless reader takes for numbers: NaN with and without payload, infinities, the largest. */
const HOSTILE_BITS = [0x7fc00000, 0x7f800001, 0xffffffff, 0x7f800000, 0xff800000, 0x7f7fffff, 0x7c007c00, 0xfe01fe01];

/** Changes a safetensors file: its length, its header, a number among its data, or any bytes. */
export function damageSafetensors(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 10) return damageBytes(bytes, random);
  const headerBytes = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true), bytes.length - 8);
  const dataAt = 8 + headerBytes;
  switch (random.int(9)) {
    case 0: { // the length
      const out = bytes.slice();
      if (random.int(2) === 0) out[random.int(8)] = random.int(256);
      else new DataView(out.buffer).setBigUint64(0, BigInt.asUintN(64, random.pick([0n, 1n, 2n, BigInt(headerBytes - 1), BigInt(headerBytes + 8), BigInt(bytes.length), 100_000_000n, 2n ** 32n, 2n ** 53n, 2n ** 63n, -1n])), true);
      return out;
    }
    case 1: { // a number
      const out = bytes.slice();
      const numbers = Math.floor((bytes.length - dataAt) / 4);
      if (numbers > 0) new DataView(out.buffer).setUint32(dataAt + 4 * random.int(numbers), random.pick(HOSTILE_BITS), true);
      return out;
    }
    case 2:
      return damageBytes(bytes, random);
    case 3:
    case 4:
    case 5:
    case 6:
      try {
        return damageLayout(bytes, random);
      } catch {
        return damageBytes(bytes, random); // damaged before
      }
    default: { // the header, with its length put right
      const header = damageHeader(bytes.subarray(8, dataAt), random);
      const length = new Uint8Array(8);
      new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
      return concat([length, header, bytes.subarray(dataAt)]);
    }
  }
}

/** Notes that are JSON texts themselves are at times damaged from within. */
function damageHeader(header: Uint8Array, random: Random): Uint8Array {
  try {
    const json = JSON.parse(text(header)) as Record<string, unknown>;
    const notes = json["__metadata__"] as Record<string, string> | undefined;
    const inner = notes && ["adapter_config", "run"].filter((key) => key in notes);
    if (notes && inner && inner.length > 0 && random.int(2) === 0) {
      const key = random.pick(inner);
      notes[key] = text(damageJson(bytesOf(notes[key]!), random));
      return bytesOf(JSON.stringify(json));
    }
  } catch {
    // damaged before
  }
  return damageJson(header, random);
}
