import { expect, it } from "vitest";
import { CATALOGUE } from "./catalogue";
import { countParameters } from "./config";
import { parseRepoName } from "./hub";

it("has the shapes whose parameters the makers count: 0.49, 0.6, 1.54 and 1.7 billion", () => {
  expect(CATALOGUE.map(({ repo, config }) => [repo, countParameters(config)])).toEqual([
    ["Qwen/Qwen2.5-0.5B-Instruct", 494_032_768], ["Qwen/Qwen3-0.6B", 596_049_920], ["Qwen/Qwen2.5-1.5B-Instruct", 1_543_714_304], ["Qwen/Qwen3-1.7B", 1_720_574_976],
  ]);
  for (const { repo, config, downloadBytes } of CATALOGUE) {
    expect(parseRepoName(repo)).toBe(repo);
    // Two bytes a number, and at most a head that is written although it is the embedding.
    expect(downloadBytes).toBeGreaterThan(2 * countParameters(config));
    expect(downloadBytes).toBeLessThan(2.7 * countParameters(config) + 30e6);
  }
});
