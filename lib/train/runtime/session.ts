/**
 * A compiled graph on a backend. Inputs and outputs are plain typed arrays with
 * a shape; the int64 shape vectors that a graph asks for are filled in from the
 * sizes of the other inputs. Disposing releases what the runtime holds; a
 * session whose run has failed is released at once, since onnxruntime leaves it
 * in a state in which valid runs fail too.
 */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import { DuctusError } from "../../core/errors";
import { bind, resolve } from "../graph/dims";
import type { DType } from "../graph/graph";
import type { OnnxModel, Port } from "../graph/onnx";
import type { Backend } from "./backend";
import { exclusive } from "./mutex";

export interface NdArray {
  dtype: DType;
  shape: readonly number[];
  data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

export const f32 = (data: Float32Array, shape: readonly number[]): NdArray => ({ dtype: "f32", shape, data });
export const i32 = (data: Int32Array, shape: readonly number[]): NdArray => ({ dtype: "i32", shape, data });
export const i64 = (data: BigInt64Array, shape: readonly number[]): NdArray => ({ dtype: "i64", shape, data });

const ORT_TYPE = { f32: "float32", i32: "int32", i64: "int64", bool: "bool" } as const;
let open = 0;

/** Sessions created and not yet disposed, for leak tests. */
export const openSessions = () => open;

export class Session {
  private released = false;

  private constructor(
    private readonly backend: Backend,
    private readonly session: InferenceSession,
    private readonly inputs: readonly Port[],
    private readonly outputs: readonly Port[],
  ) {}

  /** @throws DuctusError `device/create` when the runtime refuses the graph (memory, device, operator). */
  static async create(backend: Backend, model: OnnxModel, extra: InferenceSession.SessionOptions = {}): Promise<Session> {
    try {
      const session = await exclusive(() => backend.unlessLost(backend.ort.InferenceSession.create(model.bytes, { ...backend.options, ...extra })));
      open++;
      return new Session(backend, session, model.inputs, model.outputs);
    } catch (cause) {
      if (cause instanceof DuctusError) throw cause;
      throw new DuctusError("device/create", "The model could not be set up on this device, most likely for want of memory.",
        "Close other tabs and try again. Nothing you wrote is lost.", { cause });
    }
  }

  /**
   * @param feeds every input but the shape vectors
   * @returns every output
   * @throws DuctusError `graph/shape` for a wrong or missing feed, `device/run` when the runtime fails
   */
  async run(feeds: Readonly<Record<string, NdArray>>): Promise<Record<string, NdArray>> {
    if (this.released) throw new DuctusError("device/released", "This session is closed.");
    const complete = this.complete(feeds);
    try {
      return await exclusive(() => this.backend.unlessLost(this.execute(complete)));
    } catch (cause) {
      if (cause instanceof DuctusError) {
        this.forget(); // the device is gone, and with it what the session held
        throw cause;
      }
      await this.dispose();
      throw new DuctusError("device/run", "The computation failed on this device.",
        "Try again; if it fails again, close other tabs or restart the browser. Nothing you wrote is lost.", { cause });
    }
  }

  private async execute(feeds: Readonly<Record<string, NdArray>>): Promise<Record<string, NdArray>> {
    const tensors: Record<string, Tensor> = {};
    for (const [name, { dtype, shape, data }] of Object.entries(feeds)) {
      tensors[name] = new this.backend.ort.Tensor(ORT_TYPE[dtype], data as Float32Array, shape);
    }
    const results = await this.session.run(tensors);
    const out: Record<string, NdArray> = {};
    for (const port of this.outputs) {
      const tensor = results[port.name]!;
      out[port.name] = { dtype: port.dtype, shape: tensor.dims, data: (await tensor.getData()) as Float32Array };
      tensor.dispose();
    }
    for (const tensor of Object.values(tensors)) tensor.dispose();
    return out;
  }

  async dispose(): Promise<void> {
    if (this.released) return;
    this.forget();
    await exclusive(() => this.backend.unlessLost(this.session.release())).catch(() => undefined); // nothing is left to release
  }

  private forget(): void {
    if (!this.released) open--;
    this.released = true;
  }

  private complete(feeds: Readonly<Record<string, NdArray>>): Record<string, NdArray> {
    const bindings: Record<string, number> = {};
    const all: Record<string, NdArray> = {};
    for (const port of this.inputs) {
      if (port.shapeOf) continue;
      const value = feeds[port.name];
      if (!value) throw new DuctusError("graph/shape", `Input "${port.name}" was not given.`);
      if (value.dtype !== port.dtype) throw new DuctusError("graph/shape", `Input "${port.name}" is ${value.dtype}, expected ${port.dtype}.`);
      if (value.data.length !== value.shape.reduce((a, b) => a * b, 1)) throw new DuctusError("graph/shape", `Input "${port.name}" has ${value.data.length} numbers for shape [${value.shape.join(", ")}].`);
      bind(port.name, port.shape, value.shape, bindings);
      all[port.name] = value;
    }
    for (const port of this.inputs) {
      if (port.shapeOf) {
        const sizes = port.shapeOf.map((d) => BigInt(resolve(d, bindings)));
        all[port.name] = i64(BigInt64Array.from(sizes), [sizes.length]);
      } else {
        port.shape.forEach((d, i) => {
          if (resolve(d, bindings) !== all[port.name]!.shape[i]) {
            throw new DuctusError("graph/shape", `Input "${port.name}": axis ${i} has size ${all[port.name]!.shape[i]}, expected ${d}.`);
          }
        });
      }
    }
    const unknown = Object.keys(feeds).find((name) => !(name in all));
    if (unknown) throw new DuctusError("graph/shape", `There is no input "${unknown}".`);
    return all;
  }
}
