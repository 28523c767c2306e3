/** What a command is, and options that several share. */
import type { CommandSpec, OptionSpec, Options } from "../options";
import type { Output } from "../output";

export interface Command extends CommandSpec {
  /** Writes results as it gets them. @throws DuctusError, which the caller turns into the last line */
  run(options: Options, output: Output): Promise<void>;
}

export const MODEL: OptionSpec = { name: "model", value: "DIR", required: true, help: "folder of the model: config.json, tokenizer.json, tokenizer_config.json and model.safetensors, in one file or in shards with their index (f32, f16, bf16), or as `quantize` writes it" };
export const ADAPTER: OptionSpec = { name: "adapter", value: "DIR", help: "folder of a PEFT LoRA adapter for this model: adapter_config.json and adapter_model.safetensors" };
export const THREADS: OptionSpec = { name: "threads", value: "N", help: "threads of the runtime; default: one for each core. Sums come out the same to the last bit only with the same number" };
