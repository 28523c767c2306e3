/**
 * Text of one row as its tokens arrive, cut before the first stop string. A stop
 * string may span tokens and begin or end inside one. What is shown never holds
 * any part of one: an end of the text that may yet become a stop string is held
 * back until it is known. It says nothing about which tokens end a row.
 */
import type { StreamDecoder } from "../model/tokenizer";

export class StoppingText {
  private all = "";
  /** Where the first stop string begins; -1 while there is none. */
  private cutAt = -1;
  private readonly longest: number;

  /** @param stopStrings empty ones are left out */
  constructor(private readonly stream: StreamDecoder, private readonly stopStrings: readonly string[]) {
    this.stopStrings = stopStrings.filter((s) => s !== "");
    this.longest = Math.max(0, ...this.stopStrings.map((s) => s.length));
  }

  /** Whether a stop string stands in the text. */
  get stopped(): boolean {
    return this.cutAt >= 0;
  }

  /** What may be shown: all text so far, less an end that may belong to a stop string. */
  get shown(): string {
    return this.stopped ? this.all.slice(0, this.cutAt) : this.all.slice(0, this.all.length - this.pending());
  }

  /** Takes in a drawn token. */
  push(token: number): void {
    if (!this.stopped) this.take(this.stream.push(token));
  }

  /** The whole text; no more tokens come. An end that was held back and became no stop string is part of it. */
  finish(): string {
    if (!this.stopped) this.take(this.stream.finish());
    return this.stopped ? this.shown : this.all;
  }

  private take(all: string): void {
    const from = Math.max(0, this.all.length - this.longest + 1); // where one may begin that was not whole before
    this.all = all;
    const found = this.stopStrings.map((s) => all.indexOf(s, from)).filter((at) => at >= 0);
    if (found.length > 0) this.cutAt = Math.min(...found);
  }

  /** Length of the longest end of the text that is the beginning of a stop string. */
  private pending(): number {
    for (let length = Math.min(this.longest - 1, this.all.length); length > 0; length--) {
      const end = this.all.slice(this.all.length - length);
      if (this.stopStrings.some((s) => s.length > length && s.startsWith(end))) return length;
    }
    return 0;
  }
}
