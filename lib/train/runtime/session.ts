/**
 * A compiled graph on a backend. Inputs are typed arrays with a shape or tensors
 * that are on the device already; outputs are typed arrays, save those that are
 * to stay on the device. The int64 shape vectors that a graph asks for are
 * filled in from the sizes of the other inputs. Disposing releases what the
 * runtime holds; a session whose run has failed is released at once, since
 * onnxruntime leaves it in a state in which valid runs fail too.
 */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import { DuctusError } from "../../core/errors";
import { bind, resolve } from "../graph/dims";
import type { OnnxModel, Port } from "../graph/onnx";
import type { Backend } from "./backend";
import { Capture } from "./capture";
import { GpuTensor, HeldTensor, HostTensor, type DeviceTensor } from "./device-tensor";
import { exclusive } from "./mutex";
import { sessionOptions, type SessionSettings } from "./settings";
import { arrayOf, checkArray, i64, toOrt, type NdArray } from "./tensors";

export { f16, f32, i32, i64, u8, type NdArray } from "./tensors";

export type Feeds = Readonly<Record<string, NdArray | DeviceTensor>>;
type Checked = Record<string, NdArray | HeldTensor>;

export interface Computed {
  host: Record<string, NdArray>;
  /** What the session was told to keep; the caller's to dispose of. */
  device: Record<string, DeviceTensor>;
}

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
    private readonly keep: ReadonlySet<string>,
    private readonly capture: Capture | null,
  ) {}

  /**
   * Holds on to nothing of the model's numbers: from here on they are the runtime's.
   *
   * @throws DuctusError `device/create` when the runtime refuses the graph (memory, device, operator), `device/lost`, `graph/name` where an output that is to be kept does not exist, `graph/capture` where a graph that is to be captured cannot be
   */
  static async create(backend: Backend, model: OnnxModel, settings: SessionSettings = {}): Promise<Session> {
    const { keep = [] } = settings;
    const unknown = keep.find((name) => !model.outputs.some((port) => port.name === name));
    if (unknown !== undefined) throw new DuctusError("graph/name", `There is no output "${unknown}".`);
    const capture = settings.capture && backend.gpu ? await Capture.create(backend, model) : null;
    try {
      const session = await exclusive(() => backend.unlessLost(backend.ort.InferenceSession.create(model.bytes, sessionOptions(backend, model, settings))));
      open++;
      return new Session(backend, session, model.inputs, model.outputs, new Set(keep), capture);
    } catch (cause) {
      capture?.dispose();
      if (cause instanceof DuctusError) throw cause;
      throw new DuctusError("device/create", "The model could not be set up on this device, most likely for want of memory.",
        "Close other tabs and try again. Nothing you wrote is lost.", { cause });
    }
  }

  /** Whether the graph has an input of this name. */
  reads(name: string): boolean {
    return this.inputs.some((port) => port.name === name);
  }

  /**
   * @param feeds every input but the shape vectors
   * @returns every output, in plain memory
   * @throws DuctusError `graph/shape` for a wrong or missing feed, `device/run` when the runtime fails, `device/lost`, `device/released`
   */
  async run(feeds: Feeds): Promise<Record<string, NdArray>> {
    const { host, device } = await this.compute(feeds);
    try {
      for (const [name, tensor] of Object.entries(device)) host[name] = await tensor.read();
    } finally {
      for (const tensor of Object.values(device)) tensor.dispose();
    }
    return host;
  }

  /**
   * @param feeds every input but the shape vectors; device tensors stay the caller's, and may be disposed of meanwhile
   * @returns every output: on the device those that the session keeps, the others in plain memory
   * @throws as {@link run}, and `device/foreign` for a tensor of another device
   */
  async compute(feeds: Feeds): Promise<Computed> {
    if (this.released) throw new DuctusError("device/released", "This session is closed.");
    const { tensors, giveBack } = this.hold(this.complete(feeds));
    try {
      return await exclusive(() => this.backend.unlessLost(this.execute(tensors)));
    } catch (cause) {
      if (cause instanceof DuctusError && cause.code === "device/lost") {
        this.forget(); // the device is gone, and with it what the session held
        this.capture?.dispose();
        throw cause;
      }
      await this.dispose();
      if (cause instanceof DuctusError) throw cause;
      throw new DuctusError("device/run", "The computation failed on this device.",
        "Try again; if it fails again, close other tabs or restart the browser. Nothing you wrote is lost.", { cause });
    } finally {
      giveBack();
    }
  }

  private async execute(tensors: Readonly<Record<string, Tensor>>): Promise<Computed> {
    if (this.capture) return this.capture.run(this.session, tensors, this.keep);
    const results = await this.session.run(tensors);
    const computed: Computed = { host: {}, device: {} };
    const left = new Set(Object.values(results));
    try {
      for (const port of this.outputs) {
        const tensor = results[port.name]!;
        const { dims } = tensor;
        if (tensor.location === "gpu-buffer") {
          computed.device[port.name] = new GpuTensor(this.backend, port.dtype, dims, tensor.gpuBuffer, tensor);
          left.delete(tensor);
          continue;
        }
        const array = arrayOf(port.dtype, dims, (await tensor.getData()) as Float32Array);
        left.delete(tensor);
        tensor.dispose();
        if (this.keep.has(port.name)) computed.device[port.name] = new HostTensor(this.backend, array);
        else computed.host[port.name] = array;
      }
      return computed;
    } catch (error) {
      for (const tensor of [...left, ...Object.values(computed.device)]) tensor.dispose();
      throw error;
    }
  }

  /** The runtime's tensors for one run, and what ends it. */
  private hold(feeds: Checked): { tensors: Record<string, Tensor>; giveBack: () => void } {
    const tensors: Record<string, Tensor> = {};
    const own: Tensor[] = [];
    const held: HeldTensor[] = [];
    const giveBack = () => {
      for (const tensor of own) tensor.dispose();
      for (const tensor of held) tensor.release();
    };
    try {
      for (const [name, value] of Object.entries(feeds)) {
        if (value instanceof HeldTensor) {
          tensors[name] = value.hold(this.backend);
          held.push(value);
        } else own.push((tensors[name] = toOrt(this.backend.ort, value)));
      }
    } catch (error) {
      giveBack();
      throw error;
    }
    return { tensors, giveBack };
  }

  async dispose(): Promise<void> {
    if (this.released) return;
    this.forget();
    await exclusive(() => this.backend.unlessLost(this.session.release())).catch(() => undefined); // nothing is left to release
    this.capture?.dispose();
  }

  private forget(): void {
    if (!this.released) open--;
    this.released = true;
  }

  private complete(feeds: Feeds): Checked {
    const bindings: Record<string, number> = {};
    const all: Checked = {};
    for (const port of this.inputs) {
      if (port.shapeOf) continue;
      const value = feeds[port.name];
      if (!value) throw new DuctusError("graph/shape", `Input "${port.name}" was not given.`);
      if (value.dtype !== port.dtype) throw new DuctusError("graph/shape", `Input "${port.name}" is ${value.dtype}, expected ${port.dtype}.`);
      if (!(value instanceof HeldTensor)) checkArray(`Input "${port.name}"`, value as NdArray);
      bind(port.name, port.shape, value.shape, bindings);
      all[port.name] = value as NdArray | HeldTensor;
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
