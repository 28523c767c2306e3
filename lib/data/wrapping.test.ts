import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { paragraph, prose, sentence, wrap } from "./testing/prose";
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
