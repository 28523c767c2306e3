import { describe, expect, it } from "vitest";
import { openNode } from "./node";
import { gradientSelfTest } from "./selftest";
import type { Backend, Ort } from "./backend";
import { openSessions } from "./session";

/** A device that alters some outputs, as broken drivers do. */
function broken(alter: (name: string, data: Float32Array) => void): Backend {
  const sound = openNode();
  const InferenceSession: Ort["InferenceSession"] = {
    create: async (model, options) => {
      const session = await sound.ort.InferenceSession.create(model, options);
      const run = session.run.bind(session);
      session.run = (async (feeds: Parameters<typeof run>[0]) => {
        const out = await run(feeds);
        for (const [name, tensor] of Object.entries(out)) alter(name, tensor.data as Float32Array);
        return out;
      });
      return session;
    },
  };
  return { ...sound, ort: { ...sound.ort, InferenceSession } };
}

describe("the gradient self-test", () => {
  it("passes a sound device and leaves nothing open", async () => {
    expect(await gradientSelfTest(openNode())).toBeNull();
    expect(openSessions()).toBe(0);
  });

  it.each(["x", "wqkv", "a", "b", "gain", "a2", "gate", "up", "table"])("notices a wrong gradient of %s", async (name) => {
    const fault = await gradientSelfTest(broken((output, data) => {
      if (output === `grad:${name}`) data.forEach((v, i) => (data[i] = v * 1.1));
    }));
    expect(fault).toMatch(new RegExp(`gradient of ${name} is off`));
  });

  it("notices NaN, zeros and a device that throws", async () => {
    expect(await gradientSelfTest(broken((_, data) => data.fill(NaN)))).not.toBeNull();
    expect(await gradientSelfTest(broken((output, data) => void (output.startsWith("grad:") && data.fill(0))))).toContain("norm");
    expect(await gradientSelfTest(broken(() => { throw new Error("device lost"); }))).toContain("device lost");
    expect(openSessions()).toBe(0);
  });
});
