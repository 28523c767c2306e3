/**
 * Zip in and out for adapter folders, on fflate. Reading takes only the names
 * asked for, in one folder of the archive, and stops inflating at the caller's
 * limit, whatever the archive claims of its sizes; nothing is written anywhere,
 * so that a path in the archive can do no harm. Not a general archive reader.
 */
import { strToU8, Unzip, UnzipInflate, zipSync, type UnzipFile, type Zippable } from "fflate";
import { DuctusError } from "../../core/errors";

/** A PEFT folder has a dozen files, a checkpoint of its trainer a few more. */
const MAX_ENTRIES = 1000;
/** Deflate grows a thousandfold at most, so that one push makes 16 MB at most before the limit is looked at. */
const PUSH_BYTES = 16 * 1024;

interface Found {
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
    const entry: Found = { folder: file.name.slice(0, slash + 1), parts: [], bytes: 0, complete: false };
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
  return new Map([...found].map(([base, entry]) => [base, join(entry)]));
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
