/** No node of any graph that we run may fall back to the processor: each such node costs two copies a run. */
import { expect } from "@playwright/test";
import { MODELS, test, tinyCase } from "./fixture";

for (const name of MODELS) {
  test(`${name}: every node of every graph is on the graphics device`, async ({ engine }) => {
    const found = Object.entries(await engine.call("placements", tinyCase(name)));
    const controls = found.filter(([graph]) => graph.startsWith("control:"));
    const ours = found.filter(([graph]) => !graph.startsWith("control:"));
    expect(ours).toHaveLength(8);
    expect(ours.filter(([, refusal]) => refusal !== null)).toEqual([]);
    expect(controls).toHaveLength(3);
    for (const [graph, refusal] of controls) expect(refusal, graph).toContain("fallback to CPU EP has been explicitly disabled");
  });
}
