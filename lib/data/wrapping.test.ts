import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { paragraph, prose, sentence, wrap } from "./testing/prose";
import { verse, type VerseShape } from "./testing/verse";
import { measureWrapping, unwrap } from "./wrapping";

const stanza = (random: Random, lines: number): string => Array.from({ length: lines }, () => sentence(random, 4 + random.int(4)).replace(".", ",")).join("\n");

describe("unwrap", () => {
  it.each([48, 60, 65, 72, 80, 100])("gives back paragraphs wrapped at %d", (width) => {
    const text = prose(width, 40);
    expect(unwrap(wrap(text, width))).toEqual({ text, unwrapped: true });
  });

  it("keeps verse, alone and among wrapped prose", () => {
    const random = new Random("verse");
    const poem = Array.from({ length: 10 }, () => stanza(random, 4)).join("\n\n");
    expect(unwrap(poem)).toEqual({ text: poem, unwrapped: false });
    const verse = stanza(random, 6).replace(/^/gm, "    ");
    const before = prose(1, 10), after = prose(2, 10);
    expect(unwrap(`${wrap(before, 70)}\n\n${verse}\n\n${wrap(after, 70)}`).text).toBe(`${before}\n\n${verse}\n\n${after}`);
  });

  it("keeps one line a paragraph, long or short", () => {
    const random = new Random("lines");
    const long = Array.from({ length: 30 }, () => paragraph(random)).join("\n");
    expect(unwrap(long)).toEqual({ text: long, unwrapped: false });
    const diary = Array.from({ length: 60 }, () => sentence(random).toLowerCase().slice(0, -1)).join("\n");
    expect(unwrap(diary)).toEqual({ text: diary, unwrapped: false });
  });

  it("keeps a few broken lines in a text of whole paragraphs", () => {
    const text = `${prose(5, 30)}\n\n${wrap(prose(6, 2), 50)}`;
    expect(unwrap(text).unwrapped).toBe(false);
  });

  it("finds paragraphs by indents and by short last lines where no blank lines are", () => {
    const text = prose(7, 30);
    const indented = text.split("\n\n").map((p) => wrap(`@@@@${p}`, 66).replace("@@@@", "    ")).join("\n");
    expect(unwrap(indented).text).toBe(text);
  });

  it("joins dashes that stand between spaces with one", () => {
    const text = prose(10, 30).replace(/(\w) (and|with) /g, "$1 — $2 ");
    expect(text.match(/ — /g)?.length).toBeGreaterThan(30);
    expect(unwrap(wrap(text, 66)).text).toBe(text);
  });

  it("joins dashes without a space and heals divided words", () => {
    const filler = wrap(prose(8, 8), 60);
    const text = `${filler}\n\nThe harbour lay dark that night and the lantern by the har-\nbour went out in the rain; then she turned and went in--\nslowly, for she was old, and she stood by the wide blue-\ngrey window until the rain was over and the light came in.`;
    expect(unwrap(text).text.split("\n\n").at(-1)).toBe("The harbour lay dark that night and the lantern by the harbour went out in the rain; then she turned and went in--slowly, for she was old, and she stood by the wide blue-grey window until the rain was over and the light came in.");
  });

  it("measures the width it finds", () => {
    const report = measureWrapping(wrap(prose(9, 60), 72));
    expect(report.width).toBeGreaterThanOrEqual(70);
    expect(report.width).toBeLessThanOrEqual(72);
    expect(report.fullShare).toBeGreaterThan(0.99);
  });
});

describe("verse", () => {
  const shapes: [string, VerseShape][] = [
    ["short lines of even length", { stanzas: 10, lines: 6, chars: [28, 40] }],
    ["middling lines of even length", { stanzas: 10, lines: 6, chars: [38, 48] }],
    ["lines as long as a wrapped text's", { stanzas: 10, lines: 6, chars: [60, 72] }],
    ["lines of any length", { stanzas: 8, lines: 6, chars: [8, 110] }],
    ["no stanzas", { stanzas: 1, lines: 60, chars: [38, 50] }],
    ["very long lines", { stanzas: 6, lines: 8, chars: [120, 260], capitals: true }],
    ["capitals", { stanzas: 10, lines: 6, chars: [38, 48], capitals: true }],
    ["indents", { stanzas: 10, lines: 4, chars: [25, 40], indent: "    " }],
    ["few stanzas of wide lines with indents", { stanzas: 3, lines: 8, chars: [56, 64], indent: "    " }],
    ["indents and capitals", { stanzas: 10, lines: 4, chars: [25, 40], indent: "  ", capitals: true }],
  ];
  it.each(shapes)("of %s keeps its lines", (name, shape) => {
    const text = verse(name, shape);
    expect(unwrap(text)).toEqual({ text, unwrapped: false });
  });

  it.each<[string, VerseShape]>([
    ["small letters", { stanzas: 3, lines: 4, chars: [20, 36] }],
    ["small letters, nearly as wide", { stanzas: 3, lines: 4, chars: [48, 52] }],
    ["small letters and indents", { stanzas: 3, lines: 4, chars: [20, 36], indent: "    " }],
    ["capitals and indents", { stanzas: 3, lines: 4, chars: [20, 36], indent: "  ", capitals: true }],
  ])("among wrapped prose, in %s, keeps its lines", (name, shape) => {
    const poem = verse(name, shape), before = prose(1, 14), after = prose(2, 14);
    expect(unwrap(`${wrap(before, 70)}\n\n${poem}\n\n${wrap(after, 70)}`)).toEqual({ text: `${before}\n\n${poem}\n\n${after}`, unwrapped: true });
  });

  it("is told from prose broken by hand by the ends of its paragraphs", () => {
    // as someone types: some lines end a word or two early
    const random = new Random("hand");
    const byHand = (text: string, width: number): string => text.split("\n\n").map((p) => {
      const lines = [""];
      let limit = width;
      for (const word of p.split(" ")) {
        const last = lines.at(-1) as string;
        if (last !== "" && last.length + 1 + word.length > limit) {
          lines.push(word);
          limit = width - random.int(6);
        } else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
      }
      return lines.join("\n");
    }).join("\n\n");
    for (const width of [50, 60, 72]) {
      const text = prose(width, 40);
      expect(unwrap(byHand(text, width))).toEqual({ text, unwrapped: true });
    }
  });
});
