import { expect } from "@playwright/test";
import { test, tinyCase } from "./fixture";
import { resumesExactly } from "./resume.checks";

resumesExactly("wasm", 100, 10);

test("a run that goes on otherwise would be noticed (control)", async ({ engine }) => {
  const { whole, cut, adaptersDiffer } = await engine.call("resumed", "wasm", 20, 10, { weightDecay: 0.01 }, tinyCase("qwen3-untied"));
  expect(cut).not.toEqual(whole);
  expect(adaptersDiffer).toBe(true);
});
