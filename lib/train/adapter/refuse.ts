/** How the readers of adapters say no: the adapter is of a kind not computed here, or does not fit the model. */
import { DuctusError } from "../../core/errors";

export function refuse(fault: string): never {
  throw new DuctusError("adapter/unsupported", `This adapter cannot be used here: ${fault}.`, "Use a plain LoRA adapter for a Qwen2, Qwen3 or Llama 3 model.");
}

export function misfit(fault: string): DuctusError {
  return new DuctusError("adapter/shapes", `This adapter does not fit the model in use: ${fault}.`, "Use an adapter that was made for this model.");
}
