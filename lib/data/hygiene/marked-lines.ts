/**
 * A text by its lines, some of which are marked to be taken off, with what they
 * are. Gives back the rest, and what was taken from where, so that a person can
 * look at it.
 */
export type Boilerplate = "quote" | "head" | "signature" | "notice" | "list" | "page" | "comments" | "note" | "repeated" | "rights";

/** What each is, in the plural or as a mass, to stand after "Left out:". */
export const BOILERPLATE_WORDS: Readonly<Record<Boilerplate, string>> = {
  quote: "quoted letters of others",
  head: "a letter’s head (from, to, subject)",
  signature: "a signature",
  notice: "a firm’s notice",
  list: "a mailing list’s footer",
  page: "a page’s buttons and labels",
  comments: "comments of others",
  note: "what a note-taking program added",
  repeated: "lines that stand in many pieces at the beginning or end",
  rights: "a statement of rights",
};

export interface Removal {
  what: Boilerplate;
  /** Place in the text that was given, in characters, end exclusive. */
  start: number;
  end: number;
  chars: number;
}

export interface CleanedText {
  text: string;
  /** In the order of the text. */
  removed: Removal[];
}

export class MarkedLines {
  readonly lines: readonly string[];
  private readonly starts: number[] = [];
  private readonly marks: (Boilerplate | null)[];

  constructor(private readonly source: string) {
    const lines = source.split("\n");
    let at = 0;
    for (const line of lines) {
      this.starts.push(at);
      at += line.length + 1;
    }
    this.marks = lines.map(() => null);
    this.lines = lines.map((line) => line.trim());
  }

  /** Marks lines `from` … `to` (exclusive) that are not marked yet. */
  drop(what: Boilerplate, from: number, to = from + 1): void {
    for (let i = from; i < to; i++) this.marks[i] ??= what;
  }

  isDropped = (i: number): boolean => this.marks[i] !== null;

  /** The places of the lines with words or signs that are not marked. */
  kept(): number[] {
    const places: number[] = [];
    this.lines.forEach((line, i) => {
      if (line !== "" && this.marks[i] === null) places.push(i);
    });
    return places;
  }

  /** Runs of kept lines without blank or marked ones between. */
  paragraphs(): { from: number; to: number; text: string }[] {
    const runs: { from: number; to: number }[] = [];
    for (const i of this.kept()) {
      const last = runs.at(-1);
      if (last?.to === i) last.to = i + 1;
      else runs.push({ from: i, to: i + 1 });
    }
    return runs.map(({ from, to }) => ({ from, to, text: this.lines.slice(from, to).join("\n") }));
  }

  /** What is left. Where something was taken off, the blank lines around it become those of one side; untouched texts come back as they are. */
  result(): CleanedText {
    const removed: Removal[] = [];
    const out: string[] = [];
    const source = this.source.split("\n");
    let open: Removal | null = null;
    let justDropped = false;
    this.marks.forEach((what, i) => {
      const start = this.starts[i] as number, end = start + (source[i] as string).length;
      if (what !== null) {
        justDropped = true;
        if (this.lines[i] === "") return;
        if (open?.what === what) [open.end, open.chars] = [end, end - open.start];
        else removed.push((open = { what, start, end, chars: end - start }));
        return;
      }
      if (this.lines[i] === "" && justDropped && (out.length === 0 || out.at(-1) === "")) return;
      if (this.lines[i] !== "") {
        open = null;
        justDropped = false;
      }
      out.push(this.lines[i] === "" ? "" : (source[i] as string));
    });
    return removed.length === 0 ? { text: this.source, removed } : { text: out.join("\n").trimEnd(), removed };
  }
}
