/**
 * What a zip is meant as, by its first and last bytes alone, so that it can be
 * dropped anywhere: an adapter's folder, a file of everything that was saved
 * here, or something else (writing, most likely). Whether it can be read is for
 * whoever takes it.
 */

export type ZipKind = "adapter" | "everything" | "other";

/** What "Save everything" writes first, and what every folder of PEFT's has (lib/store/everything.ts, lib/train/adapter/peft.ts). */
const FIRST_OF_EVERYTHING = "ductus.json";
const IN_ADAPTERS = "adapter_config.json";
/** Offset of the first name, by PKWARE's APPNOTE 4.3.7. */
const NAME_AT = 30;
/** The list at the end of an adapter's zip is far shorter. */
const TAIL_BYTES = 64 * 1024;

export async function zipKind(file: Blob): Promise<ZipKind> {
  const head = await latin1(file.slice(0, NAME_AT + FIRST_OF_EVERYTHING.length));
  if (!head.startsWith("PK\u0003\u0004")) return "other";
  if (head.slice(NAME_AT) === FIRST_OF_EVERYTHING) return "everything";
  return (await latin1(file.slice(-TAIL_BYTES))).includes(IN_ADAPTERS) ? "adapter" : "other";
}

const latin1 = async (part: Blob): Promise<string> => Array.from(new Uint8Array(await part.arrayBuffer()), (byte) => String.fromCharCode(byte)).join("");
