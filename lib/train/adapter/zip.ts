/**
 * Zip in and out for adapter folders, on fflate. Reading takes only the names
 * asked for, in one folder of the archive, and stops inflating at the caller's
 * limit, whatever the archive claims of its sizes; nothing is written anywhere,
 * so that a path in the archive can do no harm. Not a general archive reader.
 */
import { strFromU8, strToU8, Unzip, UnzipInflate, zipSync, type UnzipFile, type Zippable } from "fflate";
import { DuctusError } from "../../core/errors";

/** A PEFT folder has a dozen files, a checkpoint of its trainer a few more. */
const MAX_ENTRIES = 1000;
/** Deflate grows a thousandfold at most, so that one push makes 16 MB at most before the limit is looked at. */
const PUSH_BYTES = 16 * 1024;

interface Found {
  /** With its folder. */
  name: string;
  folder: string;
  parts: Uint8Array[];
  bytes: number;
  complete: boolean;
}

/**
 * @param names base names to look for; all that are found must lie in one folder.
 * @param maxBytes limit for all inflated entries together.
 * @returns by base name; a name that is not in the archive is absent.
 * @throws DuctusError `adapter/zip`, `adapter/too-large`.
 */
export function readZipEntries(bytes: Uint8Array, names: readonly string[], maxBytes: number): Map<string, Uint8Array> {
  const found = new Map<string, Found>(); // by base name
  let entries = 0;
  let total = 0;
  const onFile = (file: UnzipFile) => {
    if (++entries > MAX_ENTRIES) throw refuse("it holds too many files");
    const slash = file.name.lastIndexOf("/");
    const base = file.name.slice(slash + 1);
    if (!names.includes(base)) return;
    if (found.has(base)) throw refuse(`it holds more than one ${base}`);
    const entry: Found = { name: file.name, folder: file.name.slice(0, slash + 1), parts: [], bytes: 0, complete: false };
    found.set(base, entry);
    file.ondata = (error, part, final) => {
      if (error) throw (error as unknown) instanceof DuctusError ? error : refuse("it is damaged", error); // fflate hands what was thrown below back to here
      total += part.byteLength;
      if (total > maxBytes) throw tooLarge(maxBytes);
      entry.bytes += part.byteLength;
      if (part.byteLength > 0) entry.parts.push(part);
      if (final) {
        if (file.originalSize !== undefined && file.originalSize !== entry.bytes) throw refuse("it is damaged");
        entry.complete = true;
      }
    };
    file.start();
  };
  try {
    const unzip = new Unzip(onFile);
    unzip.register(UnzipInflate);
    for (let at = 0; at < bytes.byteLength; at += PUSH_BYTES) unzip.push(bytes.subarray(at, at + PUSH_BYTES), at + PUSH_BYTES >= bytes.byteLength);
  } catch (error) {
    if (error instanceof DuctusError) throw error;
    throw refuse("it is damaged", error);
  }
  if ([...found.values()].some((entry) => !entry.complete)) throw refuse("it ends too early");
  if (new Set([...found.values()].map((entry) => entry.folder)).size > 1) throw refuse("its files lie in different folders");
  const directory = readDirectory(bytes);
  return new Map([...found].map(([base, entry]) => {
    const listed = directory.get(entry.name);
    if (listed?.encrypted) throw refuse("it is protected by a password");
    const content = join(entry);
    if (listed === undefined || crc32(content) !== listed.crc) throw refuse("it is damaged");
    return [base, content];
  }));
}

/**
 * Checksums by name, from the directory at the archive's end (PKWARE APPNOTE
 * 4.3.12 and 4.3.16): fflate's stream reads neither it nor the checksums.
 */
function readDirectory(bytes: Uint8Array): Map<string, { crc: number; encrypted: boolean }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<string, { crc: number; encrypted: boolean }>();
  let end = bytes.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) return entries;
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count && at + 46 <= end && view.getUint32(at, true) === 0x02014b50; i++) {
    const nameBytes = view.getUint16(at + 28, true);
    // as fflate reads names: UTF-8 where its flag is set, else a byte a character
    const flags = view.getUint16(at + 8, true);
    const name = strFromU8(bytes.subarray(at + 46, at + 46 + nameBytes), (flags & 0x800) === 0);
    entries.set(name, { crc: view.getUint32(at + 16, true), encrypted: (flags & 1) !== 0 });
    at += 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 as zip's (ISO 3309). */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = (CRC_TABLE[(c ^ (bytes[i] as number)) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}

function join({ parts, bytes }: Found): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function refuse(fault: string, cause?: unknown): DuctusError {
  return new DuctusError("adapter/zip", `This zip cannot be read: ${fault}.`, "Zip the one folder that PEFT saved, and try again.", cause === undefined ? {} : { cause });
}

function tooLarge(maxBytes: number): DuctusError {
  return new DuctusError("adapter/too-large", `The files in this zip are larger than ${Math.floor(maxBytes / 1024 / 1024)} MB, far more than an adapter needs.`, "Choose a zip that holds one adapter.");
}

/** The same files give the same bytes: names in order, a fixed date, and nothing deflated (weights hardly shrink). */
export function writeZip(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const entries: Zippable = {};
  for (const name of Object.keys(files).sort()) {
    const content = files[name] as string | Uint8Array;
    entries[name] = typeof content === "string" ? strToU8(content) : content;
  }
  // fflate writes the date by local time, so the date is given by local time too; zip's calendar begins in 1980.
  return zipSync(entries, { level: 0, mtime: new Date(1980, 0, 1) });
}
