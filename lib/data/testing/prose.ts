/**
 * Made-up prose for tests: seeded sentences from a small vocabulary, so that a
 * test can ask for any amount of text without a book in the repository. It means
 * nothing.
 */
import { Random } from "../../core/random";

const WORDS = "river lantern window garden winter morning letter cellar orchard kettle ladder harbour copper meadow shadow paper a the of to and in on with under over by it was his her old slow bright quiet two some went came stood carried turned opened waited".split(" ");

export function sentence(random: Random, words = 5 + random.int(14)): string {
  const text = Array.from({ length: words }, () => random.pick(WORDS)).join(" ");
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}

export function paragraph(random: Random, sentences = 2 + random.int(5)): string {
  return Array.from({ length: sentences }, () => sentence(random)).join(" ");
}

export function prose(seed: number | string, paragraphs: number): string {
  const random = new Random(seed);
  return Array.from({ length: paragraphs }, () => paragraph(random)).join("\n\n");
}

/** Greedy filling of lines up to `width` characters, as a typewriter does it. */
export function wrap(text: string, width: number): string {
  return text
    .split("\n")
    .map((line) => {
      const lines = [""];
      for (const word of line.split(" ")) {
        const last = lines.at(-1) as string;
        if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
        else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
      }
      return lines.join("\n");
    })
    .join("\n");
}
