import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { Graph } from "../graph/graph";
import { add, neg } from "../graph/operators/elementwise";
import { matmul } from "../graph/operators/linear";
import { toF32 } from "../graph/operators/quantized";
import { toOnnx } from "../graph/onnx";
import { liveDeviceTensors, upload } from "./device-tensor";
import { openNode } from "./node";
import { f16, f32, i32, openSessions, Session } from "./session";

const backend = openNode();
const vector = (...values: number[]) => f32(Float32Array.from(values), [values.length]);

/** y = −x, kept; z = y + y. */
async function twoOutputs(keep: string[] = ["y"]): Promise<Session> {
  const graph = new Graph();
  const y = neg(graph.input("x", "f32", ["N"]));
  return Session.create(backend, toOnnx(graph, { y, z: add(y, y) }), { keep });
}

describe("Session.compute", () => {
  it("keeps the outputs it is told to, and feeds them back", async () => {
    const session = await twoOutputs();
    const x = await upload(backend, vector(1, -2));
    const first = await session.compute({ x });
    expect(Object.keys(first.host)).toEqual(["z"]);
    expect(Object.keys(first.device)).toEqual(["y"]);
    expect([...first.host["z"]!.data]).toEqual([-2, 4]);
    const kept = first.device["y"]!;
    expect(kept).toMatchObject({ dtype: "f32", shape: [2], bytes: 8 });
    const second = await session.compute({ x: kept });
    expect([...(await second.device["y"]!.read()).data]).toEqual([1, -2]);
    expect([...(await kept.read()).data]).toEqual([-1, 2]);
    expect(liveDeviceTensors()).toBe(3);
    for (const tensor of [x, kept, second.device["y"]!]) tensor.dispose();
    expect(liveDeviceTensors()).toBe(0);
    await session.dispose();
  });

  it("hands everything out in plain memory by run, and leaves nothing on the device", async () => {
    const session = await twoOutputs();
    const out = await session.run({ x: vector(3) });
    expect([...out["y"]!.data, ...out["z"]!.data]).toEqual([-3, -6]);
    expect(liveDeviceTensors()).toBe(0);
    await session.dispose();
  });

  it("holds on to what it was fed while it works", async () => {
    const session = await twoOutputs();
    const x = await upload(backend, vector(5));
    const running = session.compute({ x });
    x.dispose();
    expect(liveDeviceTensors()).toBe(0);
    const { host, device } = await running;
    expect([...host["z"]!.data]).toEqual([-10]);
    device["y"]!.dispose();
    await session.dispose();
  });

  it("refuses what was disposed of, twice if you like, and what does not fit", async () => {
    const session = await twoOutputs();
    const x = await upload(backend, vector(1));
    x.dispose();
    x.dispose();
    expect(liveDeviceTensors()).toBe(0);
    await expect(session.compute({ x })).rejects.toMatchObject({ code: "device/released" });
    await expect(x.read()).rejects.toMatchObject({ code: "device/released" });
    const whole = await upload(backend, i32(Int32Array.of(1), [1])), matrix = await upload(backend, f32(new Float32Array(2), [2, 1]));
    await expect(session.compute({ x: whole })).rejects.toMatchObject({ code: "graph/shape", message: expect.stringMatching(/"x" is i32, expected f32/) as string });
    await expect(session.compute({ x: matrix })).rejects.toMatchObject({ code: "graph/shape" });
    whole.dispose();
    matrix.dispose();
    expect((await session.run({ x: vector(1) }))["z"]!.data).toEqual(Float32Array.of(-2));
    await session.dispose();
  });

  it("refuses to keep what the model does not give, and to upload numbers that do not fit", async () => {
    await expect(twoOutputs(["y", "elsewhere"])).rejects.toMatchObject({ code: "graph/name" });
    expect(openSessions()).toBe(0);
    await expect(upload(backend, f32(new Float32Array(3), [2]))).rejects.toMatchObject({ code: "graph/shape" });
    await expect(upload(backend, { dtype: "f16", shape: [4], data: new Uint8Array(8) })).rejects.toMatchObject({ code: "graph/shape" });
    expect(liveDeviceTensors()).toBe(0);
  });

  it("takes and gives half precision as bits", async () => {
    const graph = new Graph();
    const half = graph.input("half", "f16", ["N"]);
    const session = await Session.create(backend, toOnnx(graph, { y: toF32(half), same: half }));
    const out = await session.run({ half: f16(Uint16Array.of(0x3c00, 0xc000), [2]) });
    expect([...out["y"]!.data]).toEqual([1, -2]);
    expect(out["same"]!.data).toEqual(Uint16Array.of(0x3c00, 0xc000));
    await session.dispose();
  });
});

describe("the numbers of a model, once its session is made,", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const width = 256;

  async function made(external: boolean) {
    const graph = new Graph();
    const data = new Float32Array(width * width).fill(0.5);
    const y = matmul(graph.input("x", "f32", [1, width]), graph.parameter("w", [width, width]));
    const session = await Session.create(backend, toOnnx(graph, { y }, new Map([["w", data]]), external ? { externalOver: 0 } : {}), { prepack: false });
    return { session, data, gone: new WeakRef(data.buffer) };
  }
  const feeds = { x: f32(new Float32Array(width).fill(1), [1, width]) };

  it.each([["in the model", false], ["beside it", true]])("are the runtime's own (%s)", async (_, external) => {
    const { session, data } = await made(external);
    data.fill(7);
    expect((await session.run(feeds))["y"]!.data[0]).toBe(width / 2);
    await session.dispose();
  });

  it("can be collected", async () => {
    const { session, gone } = await made(true);
    const { session: other, data, gone: held } = await made(true); // control: one that is still in use
    for (let i = 0; i < 20 && gone.deref(); i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      collect();
    }
    expect(gone.deref()).toBeUndefined();
    expect(held.deref()).toBe(data.buffer);
    expect((await session.run(feeds))["y"]!.data[0]).toBe(width / 2);
    await session.dispose();
    await other.dispose();
  });
});
