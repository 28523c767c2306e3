/** Numbers of the settings' controls: where a slider stands, and what is typed. */
import type { NumberSetting, SliderRange } from "../../lib/train/sft/settings";

/** A place on a slider for each step of its range, which on a logarithmic one is a factor. */
export function sliderSteps({ from, to, step, scale }: SliderRange): number {
  return Math.round(scale === "log" ? Math.log(to / from) / Math.log(step) : (to - from) / step);
}

/** The nearest place; beyond an end the end. */
export function toSlider(slider: SliderRange, value: number): number {
  const { from, step, scale } = slider;
  const at = scale === "log" ? Math.log(Math.max(from, value) / from) / Math.log(step) : (value - from) / step;
  return Number.isNaN(at) ? 0 : Math.min(sliderSteps(slider), Math.max(0, Math.round(at)));
}

/** Short: a slider is for trying. */
const FIGURES = 2;

export function fromSlider({ slider, range }: NumberSetting, at: number): number {
  const { from, to, step, scale } = slider;
  const value = at >= sliderSteps(slider) ? to : scale === "log" ? Number((from * step ** at).toPrecision(FIGURES)) : Number((from + at * step).toPrecision(12));
  return range.whole === true ? Math.round(value) : value;
}

/** NaN for what is no number, which no setting may be; a comma is a decimal point. */
export function numberOf(text: string): number {
  const clean = text.trim().replace("−", "-").replace(",", ".");
  return clean === "" ? NaN : Number(clean);
}

/** “12, 15 16”. */
export const numbersOf = (text: string): number[] => text.split(/[\s,;]+/).filter((part) => part !== "").map(Number);
