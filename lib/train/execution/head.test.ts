/** What is left on the device where the streamed head's tensors, or a tensor's parts, find no room. What it computes is in streamed.test.ts. */
import { expect, it } from "vitest";
import { liveDeviceTensors } from "../runtime/device-tensor";
import { narrowDevice } from "../testing/gpu";
import { asHeld } from "../testing/held";
import { referenceModel } from "../testing/reference";
import { StreamedHead } from "./head";
import { uploadHeld } from "./upload";

const { config, weights } = referenceModel("qwen2-tied");

it("a head that finds no room leaves nothing, whichever of its tensors is the one too many", async () => {
  const before = liveDeviceTensors();
  const create = (room: number) => {
    const backend = narrowDevice(room);
    return { backend, head: StreamedHead.create(backend, config, asHeld(config, weights, "q8"), [3, 91], 4_000) };
  };
  const enough = create(Infinity);
  const head = await enough.head;
  const needed = enough.backend.made;
  expect(needed).toBeGreaterThan(8); // the gain, codes and scales of several chunks, two biases
  await head.dispose();
  expect([enough.backend.made, liveDeviceTensors()]).toEqual([0, before]);
  for (let room = 0; room < needed; room++) {
    const narrow = create(room);
    await expect(narrow.head).rejects.toMatchObject({ code: "device/memory" });
    expect([narrow.backend.made, liveDeviceTensors()], `room for ${room}`).toEqual([0, before]);
  }
});

it("a quantised tensor whose scales find no room leaves no codes", async () => {
  const before = liveDeviceTensors();
  const backend = narrowDevice(1);
  const tensor = asHeld(config, weights, "q4").get("model.embed_tokens.weight")!;
  await expect(uploadHeld(backend, "table", tensor)).rejects.toMatchObject({ code: "device/memory" });
  expect([backend.made, liveDeviceTensors()]).toEqual([0, before]);
});
