/**
 * Zip in and out for adapter folders, on fflate. Reading takes only the names
 * asked for, in one folder of the archive, and never inflates more than the
 * caller allows, whatever the archive claims; nothing is written anywhere, so
 * a path in the archive can do no harm. Not a general archive reader.
 */
import { strToU8, unzipSync, zipSync, type Zippable } from "fflate";
import { DuctusError } from "../../core/errors";

/** A PEFT folder has a dozen files, a checkpoint of its trainer a few more. */
const MAX_ENTRIES = 1000;
const MAX_NAME_CHARS = 4096;

/**
 * @param names base names to look for; all that are found must lie in one folder.
 * @param maxBytes limit for all inflated entries together.
 * @returns by base name; a name that is not in the archive is absent.
 * @throws DuctusError `adapter/zip`, `adapter/too-large`.
 */
export function readZipEntries(bytes: Uint8Array, names: readonly string[], maxBytes: number): Map<string, Uint8Array> {
  const wanted = new Map<string, string>(); // path → base name
  const folders = new Set<string>();
  let entries = 0;
  let total = 0;
  let inflated: Record<string, Uint8Array>;
  try {
    inflated = unzipSync(bytes, {
      filter: ({ name: path, originalSize, size }) => {
        if (++entries > MAX_ENTRIES) throw refuse("it holds too many files");
        if (path.length > MAX_NAME_CHARS) throw refuse("it holds a name that is too long");
        const slash = path.lastIndexOf("/");
        const base = path.slice(slash + 1);
        if (!names.includes(base)) return false;
        if (wanted.has(path)) throw refuse(`it holds ${base} twice`);
        wanted.set(path, base);
        folders.add(path.slice(0, slash + 1));
        // fflate inflates into exactly the size that the archive claims, so that a false claim only cuts the file.
        total += Math.max(originalSize, size);
        if (total > maxBytes) throw new DuctusError("adapter/too-large", `The files in this zip are larger than ${Math.floor(maxBytes / 1024 / 1024)} MB, far more than an adapter needs.`, "Choose a zip that holds one adapter.");
        return true;
      },
    });
  } catch (error) {
    if (error instanceof DuctusError) throw error;
    throw refuse("it is damaged", error);
  }
  if (folders.size > 1) throw refuse("it holds more than one adapter");
  return new Map([...wanted].map(([path, base]) => [base, inflated[path] as Uint8Array]));
}

function refuse(fault: string, cause?: unknown): DuctusError {
  return new DuctusError("adapter/zip", `This zip cannot be read: ${fault}.`, "Zip the one folder that PEFT saved, and try again.", cause === undefined ? {} : { cause });
}

/** The same files give the same bytes: names in order, a fixed date, and nothing deflated (weights hardly shrink). */
export function writeZip(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const entries: Zippable = {};
  for (const name of Object.keys(files).sort()) {
    const content = files[name] as string | Uint8Array;
    entries[name] = typeof content === "string" ? strToU8(content) : content;
  }
  // fflate writes local time; 1980 is where zip's calendar begins.
  return zipSync(entries, { level: 0, mtime: new Date(1980, 0, 1) });
}
