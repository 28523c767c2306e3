import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { SCENES } from "../testing/languages";
import { type LanguageDetector, languageName, languageNotice, loadLanguageDetector, languageWords } from "./language";

let detect: LanguageDetector;
beforeAll(async () => {
  detect = await loadLanguageDetector();
});
const scene = (code: string): string => SCENES[code] as string;
const pieces = (id: string): string[] => (JSON.parse(readFileSync(new URL(`../../../public/samples/${id}.json`, import.meta.url), "utf8")) as { pieces: { text: string }[] }).pieces.map((p) => p.text);

describe("languages", () => {
  it.each(Object.keys(SCENES))("knows %s, whole, by the sentence and as short lines", (code) => {
    const text = scene(code);
    expect(detect(text)).toEqual({ main: code, shares: [{ language: code, share: 1 }], stretches: [{ start: 0, end: text.length, language: code }] });
    for (const sentence of text.split(/(?<=[.。])\s*/).filter(Boolean)) expect(detect(sentence).main).toBe(code);
    const words = text.split(/\s+/), lines: string[] = [];
    for (let i = 0; i < words.length; i += 4) lines.push(words.slice(i, i + 4).join(" ").toLowerCase());
    expect(detect(lines.join("\n")).shares).toEqual([{ language: code, share: 1 }]); // as verse
  });

  it("finds a dialect diary and letters to be English, every piece of them", () => {
    for (const text of [...pieces("allotment"), ...pieces("letters")]) expect(detect(text).shares).toEqual([{ language: "en", share: 1 }]);
  });

  it("finds the parts of a mixed text", () => {
    const text = [scene("en"), scene("de"), scene("en"), scene("en"), scene("en")].join("\n\n");
    const { main, shares, stretches } = detect(text);
    expect(main).toBe("en");
    expect(shares.map((s) => s.language)).toEqual(["en", "de"]);
    expect(stretches.map((s) => s.language)).toEqual(["en", "de", "en"]);
    const [, german] = stretches;
    expect(text.slice(german?.start, german?.end).trim()).toBe(scene("de"));
    expect(languageWords(shares)).toBe("mostly English, a fifth German");
    expect(detect(`${scene("fr")}\n\n${scene("zh")}`).stretches.map((s) => s.language)).toEqual(["fr", "zh"]);
  });

  it("does not make a language of names, titles, quoted words or noise", () => {
    for (const more of ["“C’est la vie,” he said, and Señor Álvarez laughed.", "Frau Müller, Herr Schäfer, Jürgen and Käthe were there.", "https://example.org/über/straße?x=12 1234 5678", "Großmutter!", "TODO: x = foo(bar[3]);"]) {
      expect(detect(`${scene("en")}\n\n${more}\n\n${scene("en")}`).shares, more).toEqual([{ language: "en", share: 1 }]);
    }
  });

  it("does not make Danish of Norwegian sentences that could be either", () => {
    const text = "Om morgenen satte bestemoren min kjelen på og åpnet vinduet, selv om det var kaldt ute. Så satt vi ved bordet, og hun spurte meg hva jeg hadde drømt. Jeg svarte at jeg hadde gått på isen.\n\nDet er en god drøm, sa hun, så lenge isen holder. Det er en god drøm, sa han, så lenge isen holder.\n\nDet er en god drøm, sa hun, så lenge isen holder.";
    expect(detect("Det er en god drøm, sa hun, så lenge isen holder.").main).toBe("da");
    expect(detect(text).shares).toEqual([{ language: "no", share: 1 }]);
  });

  it("says when it cannot tell", () => {
    for (const text of ["", "Ok.", "12:30 1234 --- 99 %", "?!", "\n\n"]) expect(detect(text)).toEqual({ main: null, shares: [], stretches: [] });
    expect(detect("日本語です").main).toBe("ja");
  });

  it("finds a part of a thirtieth in a text that is looked at in a few places first", () => {
    for (let at = 0; at < 10; at++) {
      const paragraphs = Array.from({ length: 300 }, (_, i) => scene(i >= 30 * at + 13 && i < 30 * at + 23 ? "it" : "en"));
      const { shares } = detect(paragraphs.join("\n\n"));
      expect(shares.map((s) => s.language)).toEqual(["en", "it"]);
      expect(Math.abs((shares[1]?.share ?? 0) - 1 / 30)).toBeLessThan(0.01);
    }
  });

  it("samples what is long, and covers it", () => {
    const text = `${`${scene("en")}\n\n`.repeat(3000)}${`${scene("ru")}\n\n`.repeat(1000)}`;
    const { shares, stretches } = detect(text);
    expect(stretches.map((s) => s.language)).toEqual(["en", "ru"]);
    expect(stretches.map((s) => s.start)).toEqual([0, stretches[0]?.end]);
    expect(stretches.at(-1)?.end).toBe(text.length);
    const ru = (1000 * (scene("ru").length + 2)) / text.length;
    expect(Math.abs((shares[1]?.share ?? 0) - ru)).toBeLessThan(0.01);
    for (const hostile of ["a".repeat(5_000_000), " ".repeat(5_000_000), "\n".repeat(5_000_000), "a. ".repeat(2_000_000)]) detect(hostile);
  });
});

describe("words", () => {
  const of = (...shares: [string, number][]) => shares.map(([language, share]) => ({ language, share }));
  it.each([
    [of(), "too short to tell", null],
    [of(["en", 1]), "English", null],
    [of(["en", 0.995], ["fr", 0.005]), "English", null],
    [of(["en", 0.96], ["fr", 0.04]), "mostly English, a little French", null],
    [of(["en", 0.8], ["de", 0.2]), "mostly English, a fifth German", /^About a fifth of this writing is in German\. .* badly/],
    [of(["en", 0.52], ["de", 0.48]), "half English, half German", /^About half .* German/],
    [of(["en", 0.7], ["de", 0.2], ["fr", 0.1]), "mostly English, a fifth German and others", /About a third of this writing is in languages other than English\..* knows them\./],
    [of(["de", 0.45], ["en", 0.35], ["fr", 0.2]), "German, English and French", /^This writing is mostly in languages other than English/],
    [of(["de", 1]), "German", /^This writing is in German\. The model that comes with the site has read only English: .* not write German well\..* Qwen/],
  ] as const)("%j: %s", (shares, words, notice) => {
    expect(languageWords(shares)).toBe(words);
    if (notice === null) expect(languageNotice(shares)).toBeNull();
    else expect(languageNotice(shares)).toMatch(notice);
  });
  it("names every language by its English name", () => expect(["en", "no", "tl", "zh"].map(languageName)).toEqual(["English", "Norwegian", "Filipino", "Chinese"]));
});
