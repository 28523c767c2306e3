import { describe, expect, it } from "vitest";
import { Graph } from "../graph/graph";
import { add, mul, neg } from "../graph/operators/elementwise";
import { embedding } from "../graph/operators/index";
import { matmul } from "../graph/operators/linear";
import { reshape } from "../graph/operators/shape";
import { toOnnx } from "../graph/onnx";
import { watchLoss, type Backend, type Ort } from "./backend";
import { liveDeviceTensors } from "./device-tensor";
import { exclusive } from "./mutex";
import { openNode } from "./node";
import { f32, i32, openSessions, Session, type NdArray } from "./session";

const backend = openNode();
const vector = (...values: number[]) => f32(Float32Array.from(values), [values.length]);
const settle = async () => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** y = x [B, T, 2] + b [B·T, 2] laid out again, so that sizes have to agree across inputs and a shape vector is fed. */
function symbolic() {
  const graph = new Graph();
  const x = graph.input("x", "f32", ["B", "T", 2]), b = graph.input("b", "f32", ["B*T", 2]);
  const y = add(reshape(x, ["B*T", 2]), b);
  return toOnnx(graph, { y: reshape(y, ["B", "T", 2]) });
}

/** A lookup whose index may lie outside: a run that fails within the runtime. */
function lookup() {
  const graph = new Graph();
  return toOnnx(graph, { y: embedding(graph.parameter("table", [3, 2]), graph.input("at", "i32", ["N"])) }, new Map([["table", Float32Array.of(0, 1, 2, 3, 4, 5)]]));
}

const good = { x: f32(new Float32Array(12), [2, 3, 2]), b: f32(new Float32Array(12), [6, 2]) };

async function using<T>(model: Parameters<typeof Session.create>[1], work: (session: Session) => Promise<T>): Promise<T> {
  const session = await Session.create(backend, model);
  try {
    return await work(session);
  } finally {
    await session.dispose();
  }
}

describe("Session.run", () => {
  it("feeds shape vectors by itself and gives outputs with their shapes", async () => {
    await using(symbolic(), async (session) => {
      for (const [B, T] of [[2, 3], [1, 1], [3, 1]] as const) {
        const n = B * T * 2;
        const out = await session.run({ x: f32(Float32Array.from({ length: n }, (_, i) => i), [B, T, 2]), b: f32(new Float32Array(n).fill(10), [B * T, 2]) });
        expect(out["y"]!.shape).toEqual([B, T, 2]);
        expect(out["y"]!.dtype).toBe("f32");
        expect([...out["y"]!.data]).toEqual(Array.from({ length: n }, (_, i) => i + 10));
      }
    });
  });

  it.each<[string, Record<string, NdArray>, RegExp]>([
    ["a missing input", { x: good.x }, /"b" was not given/],
    ["an unknown input", { ...good, c: good.b }, /no input "c"/],
    ["another type", { ...good, b: i32(new Int32Array(12), [6, 2]) }, /"b" is i32, expected f32/],
    ["another rank", { ...good, b: f32(new Float32Array(12), [12]) }, /"b" has shape \[12\]/],
    ["another number", { ...good, x: f32(new Float32Array(18), [2, 3, 3]) }, /"x" has shape \[2, 3, 3\]/],
    ["sizes that disagree", { ...good, b: f32(new Float32Array(10), [5, 2]) }, /"b": axis 0 has size 5, expected B\*T/],
    ["fewer numbers than its shape says", { ...good, b: f32(new Float32Array(11), [6, 2]) }, /"b" has 11 numbers for shape \[6, 2\]/],
  ])("refuses %s, and goes on working", async (_, feeds, message) => {
    await using(symbolic(), async (session) => {
      await expect(session.run(feeds)).rejects.toMatchObject({ code: "graph/shape", message: expect.stringMatching(message) as string });
      expect((await session.run(good))["y"]!.shape).toEqual([2, 3, 2]);
    });
  });

  it("runs with the numbers given, not with what became of them, and hands out numbers of one's own", async () => {
    const graph = new Graph();
    await using(toOnnx(graph, { y: neg(graph.input("x", "f32", ["N"])) }), async (session) => {
      const data = Float32Array.of(1, 2);
      const first = (await session.run({ x: f32(data, [2]) }))["y"]!.data;
      data.fill(7);
      const second = (await session.run({ x: f32(data, [2]) }))["y"]!.data;
      expect([...first]).toEqual([-1, -2]);
      (first as Float32Array).fill(0);
      expect([...second]).toEqual([-7, -7]);
      expect([...data]).toEqual([7, 7]);
    });
  });

  it("is released by a run that fails, and refuses to run after", async () => {
    const session = await Session.create(backend, lookup(), { options: { logSeverityLevel: 4 } });
    const at = (...rows: number[]) => ({ at: i32(Int32Array.from(rows), [rows.length]) });
    expect([...(await session.run(at(2, 0)))["y"]!.data]).toEqual([4, 5, 0, 1]);
    expect(openSessions()).toBe(1);
    await expect(session.run(at(3))).rejects.toMatchObject({ code: "device/run", details: expect.stringContaining("Gather") as string });
    expect(openSessions()).toBe(0);
    await expect(session.run(at(1))).rejects.toMatchObject({ code: "device/released" });
    await session.dispose();
    expect(openSessions()).toBe(0);
  });

  it("refuses to run after it was disposed of, once or twice", async () => {
    const session = await Session.create(backend, symbolic());
    await session.dispose();
    await session.dispose();
    expect(openSessions()).toBe(0);
    await expect(session.run(good)).rejects.toMatchObject({ code: "device/released" });
  });

  it("finishes a run in hand before it is released", async () => {
    const session = await Session.create(backend, symbolic());
    const running = session.run(good);
    await session.dispose();
    expect((await running)["y"]!.shape).toEqual([2, 3, 2]);
  });

  it("keeps runs of two sessions asked for at once apart", async () => {
    const sessions = await Promise.all([1, 2, 3].map((k) => {
      const graph = new Graph();
      return Session.create(backend, toOnnx(graph, { y: mul(graph.input("x", "f32", ["N"]), graph.scalar(k)) }));
    }));
    const outs = await Promise.all(Array.from({ length: 30 }, (_, i) => sessions[i % 3]!.run({ x: vector(i) })));
    expect(outs.map((o) => o["y"]!.data[0])).toEqual(Array.from({ length: 30 }, (_, i) => i * ((i % 3) + 1)));
    await Promise.all(sessions.map((s) => s.dispose()));
    expect(openSessions()).toBe(0);
  });
});

describe("Session.create", () => {
  it("refuses a graph that the runtime does not take, and leaves nothing open", async () => {
    const graph = new Graph();
    const odd = toOnnx(graph, { y: graph.node("NoSuchOperator", [graph.input("x", "f32", [1])], { dtype: "f32", shape: [1] }) });
    await expect(Session.create(backend, odd)).rejects.toMatchObject({ code: "device/create", details: expect.stringContaining("NoSuchOperator") as string });
    await expect(Session.create(backend, { ...odd, bytes: new Uint8Array([1, 2, 3]) })).rejects.toMatchObject({ code: "device/create" });
    expect(openSessions()).toBe(0);
    await using(symbolic(), () => Promise.resolve());
  });
});

describe("outputs that cannot be taken", () => {
  it("leave none of the others on the device", async () => {
    let held = 3;
    const output = (more: object) => ({ dims: [1], dispose: () => void held--, ...more });
    const InferenceSession = {
      create: () => Promise.resolve({
        run: () => Promise.resolve({ a: output({ location: "gpu-buffer", gpuBuffer: {} }), b: output({ location: "cpu", getData: () => Promise.reject(new Error("gone")) }), c: output({ location: "gpu-buffer", gpuBuffer: {} }) }),
        release: () => Promise.resolve(),
      }),
    } as unknown as Ort["InferenceSession"];
    const graph = new Graph();
    const x = graph.input("x", "f32", [1]);
    const session = await Session.create({ ...backend, ort: { ...backend.ort, InferenceSession } }, toOnnx(graph, { a: neg(x), b: add(x, x), c: mul(x, x) }), { keep: ["a", "c"] });
    const before = liveDeviceTensors();
    await expect(session.compute({ x: vector(1) })).rejects.toMatchObject({ code: "device/run" });
    await settle();
    expect([held, liveDeviceTensors(), openSessions()]).toEqual([0, before, 0]);
  });
});

describe("a device that is lost", () => {
  /** Runs never come back, as those of a lost device do not; everything else works. */
  function losable() {
    let lose: (why: string) => void = () => undefined;
    const lost = new Promise<string>((resolve) => (lose = resolve));
    const InferenceSession: Ort["InferenceSession"] = {
      create: async (model, options) => {
        const session = await backend.ort.InferenceSession.create(model, options);
        const run = session.run.bind(session);
        let runs = 0;
        session.run = (feeds: Parameters<typeof run>[0]) => (++runs > 1 ? new Promise(() => undefined) : run(feeds));
        return session;
      },
    };
    return { lose, device: { ...backend, ort: { ...backend.ort, InferenceSession }, ...watchLoss(lost) } satisfies Backend };
  }

  it("ends what waits for it, closes its sessions and leaves others alone", async () => {
    const { lose, device } = losable();
    const [session, idle] = [await Session.create(device, symbolic()), await Session.create(device, symbolic())];
    expect((await session.run(good))["y"]!.shape).toEqual([2, 3, 2]);
    const hanging = session.run(good), behind = idle.run(good);
    hanging.catch(() => undefined);
    behind.catch(() => undefined);
    await settle();
    lose("driver reset");
    await expect(hanging).rejects.toMatchObject({ code: "device/lost", details: "driver reset" });
    await expect(behind).rejects.toMatchObject({ code: "device/lost" });
    expect(openSessions()).toBe(0);
    await session.dispose();
    await expect(Session.create(device, symbolic())).rejects.toMatchObject({ code: "device/lost" });
    expect(openSessions()).toBe(0);
    await using(symbolic(), async (other) => expect((await other.run(good))["y"]!.shape).toEqual([2, 3, 2]));
  });

  it("leaves no rejection unhandled when a call fails after the loss", async () => {
    const { unlessLost } = watchLoss(Promise.resolve("gone"));
    await settle();
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on("unhandledRejection", note);
    await expect(unlessLost(new Promise((_, reject) => setImmediate(() => reject(new Error("late")))))).rejects.toMatchObject({ code: "device/lost" });
    await settle();
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});

describe("exclusive", () => {
  it("does one task at a time, in the order asked for", async () => {
    const log: string[] = [];
    const task = (name: string, turns: number) => exclusive(async () => {
      log.push(`+${name}`);
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      log.push(`-${name}`);
      return name;
    });
    expect(await Promise.all([task("a", 5), task("b", 1), task("c", 3)])).toEqual(["a", "b", "c"]);
    expect(log).toEqual(["+a", "-a", "+b", "-b", "+c", "-c"]);
  });

  it("is not poisoned by a task that fails or throws", async () => {
    const failing = exclusive(() => Promise.reject(new Error("one")));
    const throwing = exclusive(() => { throw new Error("two"); });
    const after = exclusive(() => Promise.resolve("fine"));
    await expect(failing).rejects.toThrow("one");
    await expect(throwing).rejects.toThrow("two");
    expect(await after).toBe("fine");
  });

  it("holds every create and run of all sessions", async () => {
    let inside = 0, most = 0;
    const counted = <T>(work: () => Promise<T>) => async (): Promise<T> => {
      most = Math.max(most, ++inside);
      await settle(); // leaves room for others to come in
      try {
        return await work();
      } finally {
        inside--;
      }
    };
    const InferenceSession: Ort["InferenceSession"] = {
      create: (model, options) => counted(async () => {
        const session = await backend.ort.InferenceSession.create(model, options);
        const run = session.run.bind(session);
        session.run = (feeds: Parameters<typeof run>[0]) => counted(() => run(feeds))();
        return session;
      })(),
    };
    const watched: Backend = { ...backend, ort: { ...backend.ort, InferenceSession } };
    const graph = new Graph();
    const model = toOnnx(graph, { y: neg(graph.input("x", "f32", ["N"])) });
    await Promise.all([1, 2, 3].map(async (i) => {
      const session = await Session.create(watched, model);
      await Promise.all([session.run({ x: vector(i) }), session.run({ x: vector(i) })]);
      await session.dispose();
    }));
    expect(most).toBe(1);
  });
});

describe("memory", () => {
  /** A session that holds 4 MB of weights. */
  const width = 1024;
  const graph = new Graph();
  const model = toOnnx(graph, { y: matmul(graph.input("x", "f32", [1, width]), graph.parameter("w", [width, width])) }, new Map([["w", new Float32Array(width * width).fill(0.01)]]));
  const feeds = { x: f32(new Float32Array(width).fill(1), [1, width]) };
  const megabytes = () => process.memoryUsage().rss / 1e6;
  const open = async () => {
    const session = await Session.create(backend, model);
    await session.run(feeds);
    return session;
  };

  it("is given back: a hundred sessions made and released one after another leave nothing", async () => {
    for (let i = 0; i < 10; i++) await (await open()).dispose();
    const before = megabytes();
    for (let i = 0; i < 100; i++) await (await open()).dispose();
    expect(openSessions()).toBe(0);
    expect(megabytes() - before).toBeLessThan(100); // kept, they would hold 400 MB and more

    // Positive control: sessions that are not released are seen.
    const base = megabytes();
    const held: Session[] = [];
    for (let i = 0; i < 40; i++) held.push(await open());
    expect(openSessions()).toBe(40);
    expect(megabytes() - base).toBeGreaterThan(100);
    for (const session of held) await session.dispose();
    expect(openSessions()).toBe(0);
  });
});
