/** Reads the parts of a stored optimizer state, each of the type and length that its parameter asks for. */
import { DuctusError } from "../../core/errors";
import type { OptimizerState } from "./optimizer";

export class StateReader {
  private readonly unread: Set<string>;

  constructor(private readonly state: OptimizerState) {
    if (!Number.isInteger(state.steps) || state.steps < 0) throw misfit(`${state.steps} steps`);
    this.unread = new Set(state.tensors.keys());
  }

  has(name: string): boolean {
    return this.state.tensors.has(name);
  }

  floats(name: string, length: number): Float32Array {
    const data = this.state.tensors.get(name);
    if (!(data instanceof Float32Array) || data.length !== length) throw misfit(name);
    this.unread.delete(name);
    return data.slice();
  }

  bytes(name: string, length: number): Uint8Array {
    const data = this.state.tensors.get(name);
    if (!(data instanceof Uint8Array) || data.length !== length) throw misfit(name);
    this.unread.delete(name);
    return data.slice();
  }

  /** @throws DuctusError where something was not asked for */
  end(): void {
    const [left] = this.unread;
    if (left !== undefined) throw misfit(left);
  }
}

function misfit(what: string): DuctusError {
  return new DuctusError("train/optimizer-state", "The stored state of the optimizer does not fit this run.", "Start a new run.", { details: what });
}
