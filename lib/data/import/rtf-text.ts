/**
 * Gathers the text of an RTF document: bytes that wait until all bytes of a
 * character are there (two in the code pages of East Asia), decoded by the code
 * page of their font, and characters that are given as such. Which text is
 * gathered is rtf.ts's.
 */
import { decoderOf, symbolText } from "./rtf-charsets";

export interface RtfFont {
  /** Null: the document's. */
  codePage: number | null;
  symbols: boolean;
  name: string;
}

export class RtfText {
  private readonly paragraphs: string[] = [];
  private pieces: string[] = [];
  private bytes = new Uint8Array(256);
  private waiting = 0;
  private font: RtfFont | null = null;
  /** The document's code page. */
  codePage = 1252;
  /** The first code page that was needed and is not known. */
  unknownCodePage: number | null = null;

  byte(byte: number, font: RtfFont | null): void {
    if (font !== this.font) this.flush();
    this.font = font;
    if (this.waiting === this.bytes.length) {
      const more = new Uint8Array(2 * this.waiting);
      more.set(this.bytes);
      this.bytes = more;
    }
    this.bytes[this.waiting++] = byte;
  }

  character(text: string): void {
    this.flush();
    this.pieces.push(text);
  }

  endParagraph(): void {
    this.flush();
    this.paragraphs.push(this.pieces.join(""));
    this.pieces = [];
  }

  /** All paragraphs, the last among them; empty ones stand for empty lines. */
  finish(): string[] {
    this.endParagraph();
    return this.paragraphs;
  }

  private flush(): void {
    if (this.waiting === 0) return;
    const bytes = this.bytes.subarray(0, this.waiting), { font } = this;
    this.waiting = 0;
    if (font?.symbols === true) {
      this.pieces.push(symbolText(bytes, font.name));
      return;
    }
    const codePage = font?.codePage ?? this.codePage;
    const decode = decoderOf(codePage);
    if (decode === null && bytes.some((byte) => byte >= 0x80)) this.unknownCodePage ??= codePage;
    this.pieces.push((decode ?? decodeAscii)(bytes));
  }
}

const ascii = new TextDecoder();
const decodeAscii = (bytes: Uint8Array): string => ascii.decode(bytes);
