/**
 * The code pages of RTF (Rich Text Format Specification 1.9.1, "Character Set"
 * and "Font Table"): from the numbers of \ansicpg, \cpg and \fcharset to
 * decoders. The WHATWG Encoding Standard has most of them; the two of DOS that
 * it lacks are written out (Unicode's CP437.TXT and CP850.TXT). A code page that
 * is not here is not guessed at.
 */

/** Turns bytes into characters; what the code page leaves undefined becomes U+FFFD. */
export type Decode = (bytes: Uint8Array) => string;

const CP437 = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
const CP850 = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0";

const LABELS: Readonly<Record<number, string>> = {
  708: "iso-8859-6", 819: "windows-1252", 866: "ibm866", 874: "windows-874", 932: "shift_jis", 936: "gbk", 949: "euc-kr", 950: "big5",
  1250: "windows-1250", 1251: "windows-1251", 1252: "windows-1252", 1253: "windows-1253", 1254: "windows-1254", 1255: "windows-1255", 1256: "windows-1256", 1257: "windows-1257", 1258: "windows-1258",
  10000: "macintosh", 10001: "shift_jis", 10002: "big5", 10003: "euc-kr", 10007: "x-mac-cyrillic", 10008: "gbk", 20866: "koi8-r", 21866: "koi8-u",
  28592: "iso-8859-2", 28595: "iso-8859-5", 28597: "iso-8859-7", 28605: "iso-8859-15", 51932: "euc-jp", 54936: "gb18030", 65001: "utf-8",
};

/** What \fcharset calls the symbols of a font, which are no letters of any code page. */
export const SYMBOL_CHARSET = 2;
/** The code page that the document names. */
export const DEFAULT_CHARSET = 1;

const OF_CHARSET: Readonly<Record<number, number>> = {
  0: 1252, 77: 10000, 78: 10001, 79: 10003, 80: 10008, 81: 10002, 89: 10007, 128: 932, 129: 949, 130: 1361, 134: 936, 136: 950,
  161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 179: 1256, 180: 1256, 181: 1255, 186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437, 255: 850,
};

/** The code page of a font's \fcharset; null for what is not known, the document's own and symbols. */
export const codePageOfCharset = (charset: number): number | null => OF_CHARSET[charset] ?? null;

const decoders = new Map<number, Decode | null>();

/** @returns null where the code page is not known */
export function decoderOf(codePage: number): Decode | null {
  let decode = decoders.get(codePage);
  if (decode === undefined) {
    decode = make(codePage);
    decoders.set(codePage, decode);
  }
  return decode;
}

function make(codePage: number): Decode | null {
  if (codePage === 437 || codePage === 850) {
    const high = codePage === 437 ? CP437 : CP850;
    return (bytes) => Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : (high[byte - 0x80] as string))).join("");
  }
  const label = LABELS[codePage];
  if (label === undefined) return null;
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  if (label !== "windows-1252") return (bytes) => decoder.decode(bytes);
  // Some runtimes decode windows-1252 as Latin-1 and leave 0x80–0x9f as they are.
  return (bytes) => decoder.decode(bytes).replace(/[\u0080-\u009f]/g, (c) => WINDOWS_1252[c.charCodeAt(0) - 0x80] as string);
}

/** 0x80–0x9f in windows-1252 (WHATWG index); U+FFFD where it has no letter. */
const WINDOWS_1252 = "€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ";

/** The Greek of the font Symbol, which has it in the places of the Latin letters (Unicode's Adobe SYMBOL.TXT). */
const LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", GREEK = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖαβχδεφγηιϕκλμνοπθρστυϖωξψζ";

/** Text in a font of symbols: the Greek of Symbol and bullets stay, pictures go. */
export function symbolText(bytes: Uint8Array, fontName: string): string {
  const greek = /^symbol/i.test(fontName), pictures = /dings|marlett|icons/i.test(fontName);
  return Array.from(bytes, (byte) => {
    if (byte === 0xb7) return "•";
    if (byte >= 0x80 || byte < 0x20) return "";
    const c = String.fromCharCode(byte);
    return greek ? (GREEK[LATIN.indexOf(c)] ?? c) : pictures && c !== " " ? "" : c;
  }).join("");
}
