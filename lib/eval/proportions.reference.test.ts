/** Against statsmodels' proportion_confint (Wilson) and SciPy's binomtest. */
import { expect, it } from "vitest";
import { referenceJson } from "../train/testing/reference";
import { signTestP, wilsonInterval } from "./proportions";

const { cases } = referenceJson("style/proportions.json") as { cases: { wins: number; losses: number; ties: number; low: number; high: number; p: number }[] };

it.each(cases)("$wins won, $losses lost, $ties ties", ({ wins, losses, ties, low, high, p }) => {
  const interval = wilsonInterval(wins + ties / 2, wins + losses + ties);
  expect(interval.low).toBeCloseTo(low, 7);
  expect(interval.high).toBeCloseTo(high, 7);
  expect(signTestP(wins, losses)).toBeCloseTo(p, 7);
});

it("has an interval of everything where nothing was tried, and does not run out of numbers", () => {
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  expect(signTestP(5000, 5000)).toBe(1);
  expect(signTestP(4900, 5100)).toBeCloseTo(0.0466, 3);
});
