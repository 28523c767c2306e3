/**
 * From the bytes of a page or an XML part to characters: by its byte order mark,
 * then as UTF-8 where it is that (programs that save a page change its letters
 * and leave its old declaration), then as it declares itself, then as any text
 * file. Labels are the WHATWG Encoding Standard's.
 */
import { decodeBytes } from "../encoding";

export interface DecodedMarkup {
  text: string;
  encoding: string;
}

/** Where a declaration is looked for; browsers look into 1,024 bytes, and saved pages put comments before. */
const HEAD_BYTES = 8192;

/** @throws DuctusError `file/damaged`, `file/encoding`, `file/binary` */
export function decodeMarkup(bytes: Uint8Array, fileName: string): DecodedMarkup {
  const [b0, b1] = bytes;
  if ((b0 === 0xff && b1 === 0xfe) || (b0 === 0xfe && b1 === 0xff) || bytes.includes(0)) return decodeBytes(bytes, fileName);
  const declared = declaredEncoding(bytes);
  // written in ASCII bytes, so that it would pass as UTF-8
  if (declared !== "iso-2022-jp") {
    const text = strict(bytes, "utf-8");
    if (text !== null) return { text, encoding: "utf-8" };
  }
  const text = declared === null || /^(?:utf-|windows-1252$)/.test(declared) ? null : strict(bytes, declared);
  return text === null || declared === null ? decodeBytes(bytes, fileName) : { text, encoding: declared };
}

/** The name of the encoding that a declaration means; null without one that is known. */
function declaredEncoding(bytes: Uint8Array): string | null {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, HEAD_BYTES));
  const label = /^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']?([\w.:-]{1,40})/i.exec(head)?.[1] ?? /<meta\s[^>]{0,400}?charset\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(head)?.[1];
  if (label === undefined) return null;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
}

function strict(bytes: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
