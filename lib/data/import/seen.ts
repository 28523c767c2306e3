/**
 * The texts of an import by the hashes of their words, so that none is taken
 * twice and none is held for it. The same words however they are spaced, as
 * withoutDuplicates of ../documents has it.
 */
import { sha256Hex, sha256HexNow } from "../../core/hash";

/** Up to here, waiting for the platform's hash takes longer than ours. */
const SMALL_BYTES = 16_384;

export class SeenTexts {
  private readonly names = new Map<string, string>();

  /** @returns the name of the first text with these words, where there was one before */
  async add(name: string, text: string): Promise<string | undefined> {
    const bytes = withSingleSpaces(new TextEncoder().encode(text));
    const key = bytes.length <= SMALL_BYTES ? sha256HexNow(bytes) : await sha256Hex(bytes);
    const twin = this.names.get(key);
    if (twin === undefined) this.names.set(key, name);
    return twin;
  }
}

const SPACE = 32;

/** In place, on UTF-8: a pattern would make a text for each of millions of line ends. Cleaned text has no other white space than ASCII's and U+3000. */
function withSingleSpaces(bytes: Uint8Array): Uint8Array {
  let end = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    const isWide = byte === 0xe3 && bytes[i + 1] === 0x80 && bytes[i + 2] === 0x80;
    if (isWide) i += 2;
    if (!isWide && byte !== SPACE && !(byte >= 9 && byte <= 13)) bytes[end++] = byte;
    else if (end > 0 && bytes[end - 1] !== SPACE) bytes[end++] = SPACE;
  }
  return bytes.subarray(0, end > 0 && bytes[end - 1] === SPACE ? end - 1 : end);
}
