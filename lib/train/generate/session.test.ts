import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { liveDeviceTensors } from "../runtime/device-tensor";
import { openNode } from "../runtime/node";
import { openSessions } from "../runtime/session";
import { referenceModel } from "../testing/reference";
import { randomLora, settings } from "../testing/tiny";
import { Generator, type GenerationOptions } from "./generator";

const { config, weights, batch } = referenceModel("qwen2-tied");
const { lora } = settings();
const adapter = randomLora(config, lora, "session");
const options = (changes: Partial<GenerationOptions> = {}): GenerationOptions => ({ temperature: 0.8, maxNewTokens: 6, stopTokenIds: [], ...changes });
const prompt = batch.rows[0]!;

let generator: Generator;
beforeAll(async () => {
  generator = await Generator.create(openNode(), config, weights, lora, 48);
});
afterAll(async () => {
  await generator.dispose();
  expect([openSessions(), liveDeviceTensors()]).toEqual([0, 0]);
});
const afresh = async (promptIds: readonly number[], seed: number, adapted: boolean) =>
  (await generator.generate([{ promptIds, adapted, seed }], options(), adapted ? adapter : null))[0]!.tokens;

describe.each([["base", null], ["adapted", adapter]] as const)("GeneratorSession, %s", (_, used) => {
  it("goes on from what it has read, and writes what a fresh reading writes", async () => {
    const session = await generator.session(used);
    const adapted = used !== null;
    const first = await session.generate(prompt, [1], options());
    expect(first.reusedTokens).toBe(0);
    expect(first.rows[0]!.tokens).toEqual(await afresh(prompt, 1, adapted));
    expect(session.keptTokens).toBe(prompt.length + 5); // the last token was drawn and not read

    const turn = [...prompt, ...first.rows[0]!.tokens, 4, 9];
    const second = await session.generate(turn, [2], options());
    expect(second.reusedTokens).toBe(prompt.length + 5);
    expect(second.rows[0]!.tokens).toEqual(await afresh(turn, 2, adapted));

    const other = [...turn.slice(0, 4), turn[4]! === 8 ? 9 : 8, 3, 2]; // parts after four tokens
    const third = await session.generate(other, [3], options());
    expect(third.reusedTokens).toBe(4);
    expect(third.rows[0]!.tokens).toEqual(await afresh(other, 3, adapted));

    const again = await session.generate(other, [4], options());
    expect(again.reusedTokens).toBe(other.length - 1);
    expect(again.rows[0]!.tokens).toEqual(await afresh(other, 4, adapted));
    session.dispose();
  });

  it("reads a prompt once for many samples, and keeps it", async () => {
    const session = await generator.session(used);
    for (const reused of [0, prompt.length - 1]) {
      const { rows, reusedTokens } = await session.generate(prompt, [1, 2, 3], options());
      expect(reusedTokens).toBe(reused);
      for (const [i, { tokens }] of rows.entries()) expect(tokens).toEqual(await afresh(prompt, i + 1, used !== null));
      expect(session.keptTokens).toBe(prompt.length);
    }
    session.dispose();
  });
});

describe("GeneratorSession", () => {
  it("keeps its adapter as it was", async () => {
    const changing = new Map([...adapter].map(([name, data]) => [name, data.slice()]));
    const session = await generator.session(changing);
    for (const data of changing.values()) data.fill(0);
    expect((await session.generate(prompt, [1], options())).rows[0]!.tokens).toEqual(await afresh(prompt, 1, true));
    session.dispose();
  });

  it("has nothing to go on from after a failure, and goes on all the same", async () => {
    const session = await generator.session();
    await session.generate(prompt, [1], options());
    await expect(session.generate(prompt, [1], options({ onToken: () => { throw new Error("reader gone"); } }))).rejects.toThrow("reader gone");
    const { rows, reusedTokens } = await session.generate(prompt, [1], options());
    expect(reusedTokens).toBe(0);
    expect(rows[0]!.tokens).toEqual(await afresh(prompt, 1, false));
    session.dispose();
  });

  it("is closed once disposed of", async () => {
    const session = await generator.session();
    session.dispose();
    await expect(session.generate(prompt, [1], options())).rejects.toMatchObject({ code: "generate/closed" });
  });

  it("takes turns that overlap", async () => {
    const session = await generator.session();
    const [a, b] = await Promise.all([session.generate(prompt, [1], options()), session.generate(prompt.slice(1), [2], options())]);
    expect(a.rows[0]!.tokens).toEqual(await afresh(prompt, 1, false));
    expect(b.rows[0]!.tokens).toEqual(await afresh(prompt.slice(1), 2, false));
    session.dispose();
  });
});
