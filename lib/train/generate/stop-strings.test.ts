import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import type { StreamDecoder } from "../model/tokenizer";
import { StoppingText } from "./stop-strings";

/** Tokens are strings, by index. */
function decoder(pieces: readonly string[]): StreamDecoder {
  let text = "";
  return { push: (id) => (text += pieces[id]!), finish: () => text };
}

function run(pieces: readonly string[], stops: readonly string[]) {
  const text = new StoppingText(decoder(pieces), stops);
  const shown: string[] = [];
  let used = 0;
  while (used < pieces.length && !text.stopped) {
    text.push(used++);
    shown.push(text.shown);
  }
  return { shown, used, stopped: text.stopped, text: text.finish() };
}

describe("StoppingText", () => {
  it("cuts before a string that spans tokens and ends inside one", () => {
    expect(run(["Once\n", "\nHum", "an: yes", " and"], ["\n\nHuman:"])).toEqual({ shown: ["Once", "Once", "Once"], used: 3, stopped: true, text: "Once" });
    expect(run(["one###two"], ["###"])).toEqual({ shown: ["one"], used: 1, stopped: true, text: "one" });
  });

  it("gives back what was held when it became no stop string", () => {
    expect(run(["a", "S", "T", "x", "S"], ["STOP"])).toEqual({ shown: ["a", "a", "a", "aSTx", "aSTx"], used: 5, stopped: false, text: "aSTxS" });
  });

  it("cuts at the first of several that stand in the text, one within another too", () => {
    expect(run(["abcdef"], ["de", "bcde"]).text).toBe("a");
    expect(run(["xab", "c"], ["abcd", "bc"])).toMatchObject({ shown: ["x", "xa"], text: "xa", stopped: true });
    expect(run(["aab", "aac"], ["aac"]).text).toBe("aab");
  });

  it("knows no empty stop string", () => {
    expect(run(["a"], ["", "b"])).toMatchObject({ stopped: false, text: "a" });
  });

  it("never shows a part of one, and shows only beginnings of the text (random texts)", () => {
    const random = new Random("stops");
    for (let round = 0; round < 500; round++) {
      const letters = (n: number) => Array.from({ length: n }, () => "ab"[random.int(2)]!).join("");
      const stops = Array.from({ length: 1 + random.int(3) }, () => letters(2 + random.int(4)));
      const pieces = Array.from({ length: 12 }, () => letters(1 + random.int(3)));
      const whole = pieces.join("");
      const result = run(pieces, stops);
      const soFar = pieces.slice(0, result.used).join("");
      const starts = stops.map((s) => soFar.indexOf(s)).filter((at) => at >= 0);
      expect(result.stopped).toBe(starts.length > 0);
      expect(result.stopped || result.used === pieces.length).toBe(true);
      expect(result.text).toBe(starts.length > 0 ? whole.slice(0, Math.min(...starts)) : whole);
      result.shown.forEach((shown, i) => expect(result.text.startsWith(shown) && shown.length >= (result.shown[i - 1]?.length ?? 0)).toBe(true));
    }
  });
});
