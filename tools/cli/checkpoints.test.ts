/** How large a checkpoint may become, against the bytes that one really has; what becomes of files is in writing.test.ts. */
import { truncateSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createOptimizer } from "../../lib/train/optimizer/optimizer";
import { encodeCheckpoint } from "../../lib/train/sft/checkpoint";
import { fault } from "../../lib/train/testing/fault";
import { settings } from "../../lib/train/testing/tiny";
import { CheckpointFolder, checkpointBytes, requireReadable } from "./checkpoints";
import { MAX_BINARY_BYTES, readBytes } from "./paths";
import { at, useWorkspace } from "./testing/workspace";

useWorkspace();

describe("the size of a checkpoint", () => {
  it.each(["adamw", "adamw_8bit"] as const)("is foreseen, with %s: never too small, nor much too large", async (optim) => {
    const adapter = new Map([5000, 100, 200_000].map((length, i) => [`layers.${i}.self_attn.q_proj.lora_A`, new Float32Array(length).fill(1)]));
    const config = settings({ optim });
    const optimizer = createOptimizer(optim, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
    optimizer.step(adapter, adapter, 1e-3);
    for (const best of [null, { loss: 1, step: 0, tokens: 0, adapter }]) {
      const { byteLength } = await encodeCheckpoint({
        config, machine: { device: "node", threads: 1, execution: { kind: "whole", recompute: false }, storage: "f32" }, planHash: "ab".repeat(32), totalSteps: 1, evaluated: 0,
        checksWithoutGain: 0, tokens: 0, elapsedMs: 0, trainer: { steps: 1, adapter, optimizer: optimizer.state() }, best,
      });
      const foreseen = checkpointBytes([...adapter.values()].map(({ length }) => length), config, best !== null);
      expect(foreseen).toBeGreaterThanOrEqual(byteLength);
      expect(foreseen).toBeLessThan(1.02 * byteLength);
    }
  });

  it("is refused where it could not be read again", () => {
    requireReadable([170_000_000], settings({ optim: "adamw" }), false);
    const error = fault(() => requireReadable([180_000_000], settings({ optim: "adamw" }), false));
    expect([error.code, error.message]).toEqual(["train/settings", "A checkpoint of this run would have 2,160 MB; more than 2,147 MB cannot be read again."]);
    requireReadable([180_000_000], settings({ optim: "adamw_8bit" }), true);
  });
});

it("a checkpoint may be larger than a text", async () => {
  const folder = new CheckpointFolder(at());
  folder.write(new Uint8Array(1), 3);
  const file = at("checkpoints", "step-00000003.checkpoint");
  truncateSync(file, 600_000_000); // takes no room on the disk
  expect(fault(() => readBytes(file)).code).toBe("file/too-large");
  expect(readBytes(file, MAX_BINARY_BYTES).byteLength).toBe(600_000_000);
  truncateSync(file, MAX_BINARY_BYTES + 1);
  await expect(folder.newest(() => undefined)).rejects.toMatchObject({ code: "file/too-large" });
  writeFileSync(file, "");
});
