/**
 * The directory at the end of a zip archive, checked against what it points to:
 * every entry's bytes lie inside the archive, and no two entries share any
 * (David Fifield, "A better zip bomb", WOOT 2019: a bomb's files overlap). It
 * inflates nothing and says faults as values, so that each caller finds its own
 * words. Source: PKWARE APPNOTE 6.3.10, sections 4.3–4.6.
 */

export interface ZipEntry {
  /** With "/" between folders, whatever the archive has. */
  path: string;
  isFolder: boolean;
  /** 0 stored, 8 deflated; others are rare. */
  method: number;
  encrypted: boolean;
  crc32: number;
  /** As the archive claims. */
  bytes: number;
  /** Where its packed bytes lie in the archive; null where its own header is missing or points outside. */
  packed: { from: number; to: number } | null;
}

/** "none": not a zip, or cut off before its directory. */
export type ZipFault = "none" | "damaged" | "in-parts" | "overlapping";

const END = 0x06054b50, END_64 = 0x06064b50, LOCATOR_64 = 0x07064b50, LISTED = 0x02014b50, LOCAL = 0x04034b50;
const END_BYTES = 22, LISTED_BYTES = 46, LOCAL_BYTES = 30, LOCATOR_64_BYTES = 20, END_64_BYTES = 56;
const MAX_COMMENT_BYTES = 0xffff;

interface Extent {
  count: number;
  from: number;
  to: number;
  /** What was put before the archive, so that all its offsets are too small by it. */
  shift: number;
}

/** @param onEntry called for each entry before it is kept: where a caller stops at too many by throwing. */
export function readZipDirectory(bytes: Uint8Array, onEntry: () => void = () => undefined): ZipEntry[] | ZipFault {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extent = findDirectory(view);
  if (typeof extent === "string") return extent;
  const entries: ZipEntry[] = [];
  const taken: { from: number; to: number }[] = [];
  let at = extent.from;
  while (at + LISTED_BYTES <= extent.to && view.getUint32(at, true) === LISTED) {
    onEntry();
    const nameTo = at + LISTED_BYTES + view.getUint16(at + 28, true);
    const extraTo = nameTo + view.getUint16(at + 30, true);
    const next = extraTo + view.getUint16(at + 32, true);
    if (next > extent.to) return "damaged";
    const sizes = sizesOf(view, at, nameTo, extraTo);
    if (sizes === null) return "damaged";
    const flags = view.getUint16(at + 8, true), method = view.getUint16(at + 10, true);
    const local = sizes.offset + extent.shift;
    const from = dataStart(view, local, extent.from);
    const packed = from !== null && from + sizes.packedBytes <= extent.from ? { from, to: from + sizes.packedBytes } : null;
    const path = decodeName(bytes.subarray(at + LISTED_BYTES, nameTo), flags).replaceAll("\\", "/");
    // AES is method 99; strong encryption has bit 6, a hidden directory bit 13
    const encrypted = (flags & 0x2041) !== 0 || method === 99;
    entries.push({ path, isFolder: path.endsWith("/"), method, encrypted, crc32: view.getUint32(at + 16, true), bytes: sizes.bytes, packed });
    if (packed !== null) taken.push({ from: local, to: packed.to });
    at = next;
  }
  // without zip64 the count is written modulo 65536
  if (at !== extent.to || entries.length % 65536 !== extent.count % 65536) return "damaged";
  taken.sort((a, b) => a.from - b.from || a.to - b.to);
  return taken.some((range, i) => i > 0 && range.from < (taken[i - 1] as Extent).to) ? "overlapping" : entries;
}

function findDirectory(view: DataView): Extent | ZipFault {
  const lowest = Math.max(0, view.byteLength - END_BYTES - MAX_COMMENT_BYTES);
  for (let end = view.byteLength - END_BYTES; end >= lowest; end--) {
    if (view.getUint32(end, true) !== END || end + END_BYTES + view.getUint16(end + 20, true) > view.byteLength) continue;
    const of64 = findDirectory64(view, end);
    if (typeof of64 === "string") return of64;
    if (of64 === null && (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 6, true) !== 0)) return "in-parts";
    const { count, size, offset, to } = of64 ?? { count: view.getUint16(end + 10, true), size: view.getUint32(end + 12, true), offset: view.getUint32(end + 16, true), to: end };
    const from = to - size, shift = from - offset;
    return from < 0 || shift < 0 ? "damaged" : { count, from, to, shift };
  }
  return "none";
}

function findDirectory64(view: DataView, end: number): { count: number; size: number; offset: number; to: number } | "in-parts" | "damaged" | null {
  const locator = end - LOCATOR_64_BYTES;
  if (locator < END_64_BYTES || view.getUint32(locator, true) !== LOCATOR_64) return null;
  if (view.getUint32(locator + 4, true) !== 0 || view.getUint32(locator + 16, true) > 1) return "in-parts";
  // where it says, or (with something put before the archive) right before its locator
  const at = [uint64(view, locator + 8), locator - END_64_BYTES].find((place) => place !== null && place <= locator - END_64_BYTES && view.getUint32(place, true) === END_64);
  if (at === undefined || at === null) return "damaged";
  const count = uint64(view, at + 32), size = uint64(view, at + 40), offset = uint64(view, at + 48);
  return count === null || size === null || offset === null ? "damaged" : { count, size, offset, to: at };
}

/** Sizes and place of an entry; those that do not fit 32 bits stand in its zip64 field, in this order. */
function sizesOf(view: DataView, at: number, extraFrom: number, extraTo: number): { bytes: number; packedBytes: number; offset: number } | null {
  const sizes = { bytes: view.getUint32(at + 24, true), packedBytes: view.getUint32(at + 20, true), offset: view.getUint32(at + 42, true) };
  const keys = (["bytes", "packedBytes", "offset"] as const).filter((key) => sizes[key] === 0xffffffff);
  if (keys.length === 0) return sizes;
  for (let field = extraFrom; field + 4 <= extraTo; ) {
    const to = field + 4 + view.getUint16(field + 2, true);
    if (to > extraTo) return null;
    if (view.getUint16(field, true) === 1) {
      let value = field + 4;
      for (const key of keys) {
        const size = value + 8 <= to ? uint64(view, value) : null;
        if (size === null) return null;
        sizes[key] = size;
        value += 8;
      }
      return sizes;
    }
    field = to;
  }
  return sizes; // exactly 4 GB less one, which then lies outside
}

/** Where an entry's packed bytes begin; null where its own header is not there. */
function dataStart(view: DataView, local: number, limit: number): number | null {
  if (local + LOCAL_BYTES > limit || view.getUint32(local, true) !== LOCAL) return null;
  return local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
}

function uint64(view: DataView, at: number): number | null {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : null;
}

/** 0x80–0xff in code page 437, which names are written in unless they say UTF-8 (APPNOTE, appendix D). */
const CODE_PAGE_437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** Many programs write UTF-8 without saying so, and text in code page 437 is hardly ever valid UTF-8. */
function decodeName(name: Uint8Array, flags: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    if ((flags & 0x800) !== 0) return new TextDecoder().decode(name);
    return Array.from(name, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : (CODE_PAGE_437[byte - 0x80] as string))).join("");
  }
}
