/**
 * Lines and paragraphs put together from the pieces of a marked-up document, as
 * a browser lays them out: white space collapses, a line break ends a line, a
 * block begins and ends one, paragraphs have blank lines between them. What an
 * element means is its reader's to say (html-text.ts, odt.ts).
 */

/**
 * What parts a line from the one before, the stronger first: `paragraph`, a
 * blank line; `block`, the edge of a box such as HTML's div, in which some
 * programs put each line and others each paragraph; `line`, a line end.
 */
export type Break = "line" | "block" | "paragraph";
const STRENGTH: Record<Break, number> = { line: 1, block: 2, paragraph: 3 };

/** A line of verse, an address or a list is hardly longer, in characters; a paragraph mostly is. */
const MAX_LINE = 100;

/** How a change of scene is shown, a line of its own. */
export const SCENE_BREAK = "* * *";

interface Line {
  text: string;
  before: Break;
  /** The regions that were open when the line ended, as the reader numbers them. */
  regions: number;
}

export class Flow {
  /** Bits that each line carries from here on; see {@link toText}. A change is meant between lines. */
  regions = 0;
  private readonly lines: Line[] = [];
  private parts: string[] = [];
  private pending: Break = "paragraph";
  private gap: "" | " " | "\t" = "";

  /** Running text; HTML's white space (not no-break spaces) collapses. */
  text(text: string): void {
    const words = text.replace(/[ \t\n\r\f]+/g, " ");
    const first = words.startsWith(" ") ? 1 : 0, last = words.length > first && words.endsWith(" ") ? words.length - 1 : words.length;
    if (first === 1 && this.gap === "") this.gap = " ";
    if (last > first) this.write(words.slice(first, last));
    if (last < words.length) this.gap = " ";
  }

  /** Text whose spaces and line ends are meant. */
  verbatim(text: string): void {
    text.split(/\r\n|[\r\n\f]/).forEach((line, i) => {
      if (i > 0) this.lineBreak();
      if (line !== "") this.write(line);
    });
  }

  private write(text: string): void {
    if (this.gap !== "" && this.parts.length > 0) this.parts.push(this.gap);
    this.gap = "";
    this.parts.push(text);
  }

  /** Before a further cell of a row. */
  cell(): void {
    if (this.parts.length > 0) this.gap = "\t";
  }

  lineBreak(): void {
    this.push("line");
  }

  /** Ends the line, if one is begun; what comes next stands apart by at least this. */
  break(kind: Break): void {
    if (this.parts.length > 0) this.push(kind);
    else if (STRENGTH[kind] > STRENGTH[this.pending]) this.pending = kind;
    this.gap = "";
  }

  sceneBreak(): void {
    this.break("paragraph");
    this.write(SCENE_BREAK);
    this.break("paragraph");
  }

  private push(next: Break): void {
    this.lines.push({ text: this.parts.join("").trimEnd(), before: this.pending, regions: this.regions });
    this.parts = [];
    this.gap = "";
    this.pending = next;
  }

  /** A place in the line to go back to. */
  get mark(): { lines: number; parts: number } {
    return { lines: this.lines.length, parts: this.parts.length };
  }

  /** What the line got since a mark; null where it has ended since. */
  since(mark: { lines: number; parts: number }): string | null {
    return mark.lines === this.lines.length ? this.parts.slice(mark.parts).join("") : null;
  }

  /** Takes back what the line got since a mark. */
  takeBack(mark: { lines: number; parts: number }): void {
    if (mark.lines === this.lines.length) this.parts.length = mark.parts;
  }

  /** Letters in lines that carry any of these bits; of all lines without. */
  length(regions?: number): number {
    this.break("paragraph");
    return this.kept(regions).reduce((sum, { text }) => sum + text.length, 0);
  }

  private kept(regions?: number): Line[] {
    return regions === undefined ? this.lines : this.lines.filter((line) => (line.regions & regions) !== 0);
  }

  /** @param regions only lines that carry any of these bits. */
  toText(regions?: number): string {
    this.break("paragraph");
    const out: string[] = [];
    let before = "";
    for (const { text, before: kind } of this.kept(regions)) {
      const parted = kind === "paragraph" || (kind === "block" && Math.max(before.length, text.length) > MAX_LINE);
      out.push(parted ? "\n\n" : "\n", text);
      before = text;
    }
    return tidyScenes(out.join("")).replace(/\n{3,}/g, "\n\n").replace(/^\n+/, "").trimEnd();
  }
}

/** Changes of scene part something: none at an end, none right after another. */
function tidyScenes(text: string): string {
  const lines = text.split("\n");
  let said = false; // whether anything came since the last scene break
  for (let i = 0; i < lines.length; i++) {
    if (lines[i] !== SCENE_BREAK) said ||= lines[i] !== "";
    else if (said) said = false;
    else lines[i] = "";
  }
  for (let i = lines.length - 1; i >= 0 && (lines[i] === "" || lines[i] === SCENE_BREAK); i--) lines[i] = "";
  return lines.join("\n");
}
