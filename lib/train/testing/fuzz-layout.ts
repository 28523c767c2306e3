/**
 * Damage to a safetensors file that leaves all but one thing about it right: a
 * number type, a shape, an overlap, a hole, a tensor too many or too few, a
 * repeated key. Random bytes would hardly ever come upon these. Never part of
 * the product.
 */
import type { Random } from "../../core/random";
import { concat } from "./checkpoint";

interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
  /** Bytes that belong to nothing, before it. */
  gap?: Uint8Array;
  /** Its bytes are those of this other entry. */
  shares?: Entry;
  /** Stands before its own fields. */
  repeated?: string;
}

function parse(file: Uint8Array): { entries: Entry[]; notes: unknown } {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const { __metadata__: notes, ...json } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const entries = Object.entries(json).sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]).map(([name, { dtype, shape, data_offsets: [begin, end] }]) =>
    ({ name, dtype, shape, bytes: file.subarray(8 + length + begin, 8 + length + end) }));
  return { entries, notes };
}

function print({ entries, notes }: ReturnType<typeof parse>): Uint8Array {
  const data: Uint8Array[] = [];
  const places = new Map<Entry, [number, number]>();
  let at = 0;
  const put = (bytes: Uint8Array) => {
    data.push(bytes);
    at += bytes.byteLength;
  };
  for (const entry of entries) {
    if (entry.gap) put(entry.gap);
    if (entry.shares) continue;
    places.set(entry, [at, at + entry.bytes.byteLength]);
    put(entry.bytes);
  }
  const fields = entries.map((entry) =>
    `${JSON.stringify(entry.name)}:{${entry.repeated ?? ""}"dtype":${JSON.stringify(entry.dtype)},"shape":${JSON.stringify(entry.shape)},"data_offsets":${JSON.stringify(places.get(entry.shares ?? entry))}}`);
  if (notes !== undefined) fields.unshift(`"__metadata__":${JSON.stringify(notes)}`);
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return concat([length, header, ...data]);
}

/** @throws an Error of any kind where the file was damaged before */
export function damageLayout(file: Uint8Array, random: Random): Uint8Array {
  const parsed = parse(file);
  const { entries } = parsed;
  const index = random.int(entries.length);
  const entry = entries[index]!;
  const others = entries.filter((other) => other !== entry && other.bytes.byteLength === entry.bytes.byteLength);
  const other = others.length > 0 ? random.pick(others) : null;
  const some = () => entry.bytes.slice(0, 4 * (1 + random.int(4)));
  switch (random.int(12)) {
    case 0: // mostly of the same width, when nothing else is wrong
      entry.dtype = random.pick(random.int(4) > 0 ? ["I16", "I32", "U32", "BF16"] : ["F32", "F16", "U8", "F64", "F8_E4M3", "f32", ""]);
      break;
    case 1:
      entry.shape = random.pick([[...entry.shape].reverse(), [...entry.shape, 1], [1, ...entry.shape], [entry.bytes.byteLength / 2], entry.shape.map((size, i) => (i === 0 ? size * 2 : size / 2)), [0, ...entry.shape]]);
      break;
    case 2: // two entries over the same bytes
      if (other) entry.shares = other;
      break;
    case 3: // bytes that belong to nothing
      entry.gap = some();
      break;
    case 4: // more bytes, or fewer, than the shape needs
      entry.bytes = random.int(2) === 0 ? concat([entry.bytes, some()]) : entry.bytes.subarray(4);
      break;
    case 5: // the places exchanged, which is no fault
      if (other) [entry.bytes, other.bytes] = [other.bytes, entry.bytes];
      break;
    case 6: // the order exchanged, which is none either
      random.shuffle(entries);
      break;
    case 7:
      entries.push({ ...entry, name: random.pick(["model.extra", "lm_head.weight", `${entry.name}.scales`, "__proto__", "model.rotary_emb.inv_freq"]) });
      break;
    case 8:
      entries.splice(index, 1);
      break;
    case 9:
      entry.name = random.pick([`${entry.name} `, entry.name.replace(/\d/, "7"), entry.name.toUpperCase(), other?.name ?? ""]);
      break;
    case 10:
      entry.repeated = random.pick(['"dtype":"I64",', '"shape":[1],', '"data_offsets":[0,4],']);
      break;
    default: // a number that is none, somewhere in this very tensor
      entry.bytes = entry.bytes.slice();
      entry.bytes.fill(random.pick([0xff, 0x7f, 0x7c]), 4 * random.int(Math.floor(entry.bytes.byteLength / 4)), undefined);
  }
  return print(parsed);
}

/** Another form for one quantised tensor, itself without a fault: 8 bits where it has 4, or 4 where it has 8. Errors as {@link damageLayout}. */
export function damageForm(file: Uint8Array, random: Random): Uint8Array {
  const parsed = parse(file);
  const entry = random.pick(parsed.entries.filter(({ dtype }) => dtype === "U8"));
  const [rows, blocks, bytes] = entry.shape as [number, number, number];
  entry.shape = [rows, blocks, bytes === 16 ? 32 : 16];
  entry.bytes = bytes === 16 ? concat([entry.bytes, entry.bytes]) : entry.bytes.subarray(0, entry.bytes.length / 2);
  return print(parsed);
}

/** The same for model.safetensors.index.json. Errors as {@link damageLayout}. */
export function damageIndex(bytes: Uint8Array, random: Random): Uint8Array {
  const index = JSON.parse(new TextDecoder().decode(bytes)) as { weight_map: Record<string, unknown> };
  const names = Object.keys(index.weight_map);
  const files = [...new Set(Object.values(index.weight_map))];
  const name = random.pick(names);
  const file = index.weight_map[name] as string;
  switch (random.int(5)) {
    case 0:
      index.weight_map[random.pick(["model.extra", "lm_head.weight", `${name}.scales`])] = random.pick(files);
      break;
    case 1:
      index.weight_map = Object.fromEntries(Object.entries(index.weight_map).filter(([other]) => other !== name));
      break;
    case 2:
      index.weight_map[name] = random.pick(files);
      break;
    case 3:
      index.weight_map[name] = random.pick([`./${file}`, `../${file}`, `/${file}`, `x/../${file}`, `${file}\0`, file.toUpperCase(), file.replace("0", "1"), "model.safetensors.index.json", "config.json", "__proto__", "constructor"]);
      break;
    default: // another order, which is no fault
      index.weight_map = Object.fromEntries(random.shuffle(Object.entries(index.weight_map)));
  }
  return new TextEncoder().encode(JSON.stringify(index));
}
