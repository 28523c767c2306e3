/**
 * From the paragraphs of a word processor to text. Prose is typed with one
 * paragraph after another, verse often with each line as a paragraph and an
 * empty one between stanzas; only the empty ones tell. It joins; it does not
 * look at what is said.
 */

/** The longest line of verse, an address or a list, in characters. */
const MAX_LINE = 80;

/**
 * @param paragraphs in order; empty ones stand for empty lines
 * @returns text in which blank lines part paragraphs, and lines follow one another where short paragraphs stand in groups
 */
export function joinParagraphs(paragraphs: readonly string[]): string {
  const groups: string[][] = [[]];
  for (const paragraph of paragraphs) {
    const text = paragraph.replace(/[^\S\n]+$/gm, "").replace(/^\n+|\n+$/g, "");
    if (text.trim() !== "") (groups.at(-1) as string[]).push(text);
    else if ((groups.at(-1) as string[]).length > 0) groups.push([]);
  }
  const written = groups.filter((group) => group.length > 0);
  const grouped = written.length > 1 && written.filter(isLines).length >= written.length / 2;
  return written.map((group) => (grouped && isLines(group) ? group.join("\n") : group.map((p) => p.trim()).join("\n\n"))).join("\n\n");
}

/** Several short lines; or one paragraph, which says nothing. */
function isLines(group: readonly string[]): boolean {
  return group.length > 1 && group.every((line) => line.length <= MAX_LINE && !line.includes("\n"));
}
