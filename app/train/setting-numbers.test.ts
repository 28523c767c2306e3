import { describe, expect, it } from "vitest";
import { SETTINGS, type NumberSetting } from "../../lib/train/sft/settings";
import { fromSlider, numberOf, numbersOf, sliderSteps, toSlider } from "./setting-numbers";

const sliders = SETTINGS.filter((setting): setting is NumberSetting => setting.control === "slider");

describe("a slider", () => {
  it("comes back to each of its places, from end to end, within what may be set", () => {
    expect(sliders.length).toBeGreaterThan(10);
    for (const setting of sliders) {
      const { slider, range, key } = setting;
      const values = Array.from({ length: sliderSteps(slider) + 1 }, (_, at) => fromSlider(setting, at));
      expect(values[0], key).toBe(slider.from);
      expect(values.at(-1), key).toBe(slider.to);
      expect(values.map((value) => toSlider(slider, value)), key).toEqual(values.map((_, at) => at));
      for (const value of values) expect(value >= range.least && value <= range.most && (range.whole !== true || Number.isInteger(value)), `${key} ${value}`).toBe(true);
    }
  });

  it("stands at an end for what lies beyond it", () => {
    const rank = sliders.find(({ key }) => key === "lora.rank")!;
    expect([0, 1000, NaN].map((value) => toSlider(rank.slider, value))).toEqual([0, sliderSteps(rank.slider), 0]);
  });
});

describe("what is typed", () => {
  it("is a number with a point or a comma, or none", () => {
    expect(["0.006", " 6e-3 ", "0,5", "−1", "12"].map(numberOf)).toEqual([0.006, 0.006, 0.5, -1, 12]);
    expect(["", "x", "1.2.3", "-"].map(numberOf)).toEqual([NaN, NaN, NaN, NaN]);
    expect(numbersOf("12, 15  16;17")).toEqual([12, 15, 16, 17]);
    expect(numbersOf("")).toEqual([]);
  });
});
