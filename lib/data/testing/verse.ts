/** Made-up verse for tests, as prose.ts makes prose: lines of a length one may choose, with or without capitals and indents. It means next to nothing. */
import { Random } from "../../core/random";

const WORDS = "the kettle sings before the house is up and I let it for a while because the window is still grey and nobody has asked me yet for anything at all not bread not the time not where the other glove went in november when we came back from the shore with our pockets full of stones that were better wet and dried to nothing on the sill but stayed".split(" ");

export interface VerseShape {
  stanzas: number;
  lines: number;
  /** The least number of characters of a line, drawn for each from this range; the last word may pass it. */
  chars: readonly [least: number, most: number];
  capitals?: boolean;
  /** Before every second line. */
  indent?: string;
}

export function verse(seed: string, { stanzas, lines, chars: [least, most], capitals = false, indent = "" }: VerseShape): string {
  const random = new Random(`verse/${seed}`);
  const line = (): string => {
    const target = least + random.int(most - least + 1);
    let text = random.pick(WORDS);
    while (text.length < target) text += ` ${random.pick(WORDS)}`;
    return capitals ? `${(text[0] as string).toUpperCase()}${text.slice(1)}` : text;
  };
  return Array.from({ length: stanzas }, () => Array.from({ length: lines }, (_, i) => `${i % 2 === 1 ? indent : ""}${line()}`).join("\n")).join("\n\n");
}
