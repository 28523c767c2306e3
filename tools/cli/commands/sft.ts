/** `sft`: trains an adapter on examples. */
import { join } from "node:path";
import { DuctusError } from "../../../lib/core/errors";
import { CONFIG_FILE, peftConfigJson, peftSafetensors, WEIGHTS_FILE } from "../../../lib/train/adapter/peft";
import { flatAdapter, toLoraAdapter } from "../../../lib/train/adapter/tensors";
import { planFor } from "../../../lib/train/execution/open";
import { withHeadRows } from "../../../lib/train/model/added-tokens";
import { RunControl } from "../../../lib/train/loop";
import type { Storage } from "../../../lib/train/model/held";
import type { SftCheckpoint } from "../../../lib/train/sft/checkpoint";
import { fineTune } from "../../../lib/train/sft/fine-tune";
import { PEFT_TRL_NAMES } from "../../../lib/train/sft/peft-trl";
import { planSteps } from "../../../lib/train/sft/plan";
import { SftTrainer } from "../../../lib/train/sft/trainer";
import { CheckpointFolder } from "../checkpoints";
import { loadFolderWeights, openAdapterFolder, openBackend, openModelFolder, tokenizerFolder } from "../model-folder";
import { copyTokenizer } from "../out-folder";
import { makeFolder, resolvePath, writeFile } from "../paths";
import { readSettings } from "../settings";
import { readExamples } from "../training-data";
import { MODEL, THREADS, type Command } from "./command";

export const sft: Command = {
  name: "sft",
  summary: "train a LoRA adapter on texts, completions or conversations",
  options: [
    MODEL,
    { name: "data", value: "FILE.jsonl", required: true, help: 'a line an example: {"text"}, {"prompt","completion"} (texts, or lists of {"role","content"}) or {"messages"}' },
    { name: "out", value: "DIR", required: true, help: "folder of the adapter, as PEFT lays it out; checkpoints are kept in DIR/checkpoints" },
    { name: "init", value: "ADAPTER_DIR", help: "adapter to start from; it brings rank, alpha, target modules, and trained and added tokens with their tokenizer. Default: a fresh one (A random from the seed, B zero)" },
    { name: "config", value: "FILE.json", help: "settings, with the names of TRL's SFTConfig and PEFT's LoraConfig; what is left out has the value that it has there" },
    { name: "resume", help: "go on where the last checkpoint in DIR stands; from the beginning where there is none. Without it, an unfinished run in DIR is an error" },
    THREADS,
  ],
  details: `
Output: a line a step, {"step","loss","lr","gradNorm","tokens"}: the mean loss of the step's scored tokens (nats, before the update), the learning rate, the norm of the gradient before clipping, and the step's tokens, prompts included. Then DIR holds adapter_config.json and adapter_model.safetensors, and the tokenizer of --init where that has one.

Tokens, masks, truncation, order and the weights of losses are those of TRL 1.16's SFTTrainer in f32: the end token is appended to texts and completions, not to conversations; the loss is on completions where there are prompts (completion_only_loss), else on every token; rows are cut at max_length (null: not at all). With "shuffle": false rows come in the order of the file, and losses equal TRL's with train_sampling_strategy="sequential" and bf16=False; with true (the default) the order is drawn from the seed, and is not TRL's. Two things differ: names of special tokens inside messages stay text, and with packing too rows that are cut within their prompt are left out.

A run that was killed and goes on with --resume prints the steps after its last checkpoint, equal to the last bit to those of a run that was not. save_steps sets how often checkpoints are written; left out, every few seconds. On SIGINT the run writes a checkpoint and ends.

Settings: ${PEFT_TRL_NAMES.join(", ")}.`,
  async run(options, output) {
    const initPath = options.optionalText("init");
    const folder = await openModelFolder(options.text("model"), initPath);
    const init = initPath === undefined ? null : openAdapterFolder(initPath, folder.config);
    const configPath = options.optionalText("config");
    const { config: asked, data } = readSettings(configPath === undefined ? null : resolvePath(configPath), init);
    const unknown = init ? undefined : asked.lora.trainableTokenIndices.find((id) => id >= folder.config.vocabSize);
    if (unknown !== undefined) throw new DuctusError("train/settings", `trainable_token_indices names token ${unknown}; the tokens of this model are 0 to ${folder.config.vocabSize - 1}.`, "Name tokens of the model, or start from an adapter that adds some, with --init.");
    const examples = readExamples(resolvePath(options.text("data")), folder.tokenizer, data, output.progress);
    const longest = examples.reduce((most, { ids }) => Math.max(most, ids.length), 0);
    if (longest > folder.config.maxPositions) throw new DuctusError("data/too-long", `An example has ${longest} tokens; this model reads ${folder.config.maxPositions}.`, `Set max_length to ${folder.config.maxPositions} or less.`);
    const config = { ...asked, maxLength: data.maxLength ?? longest };
    const plan = planSteps(Array.from({ length: Math.ceil(config.epochs) }, () => examples), config);

    const out = resolvePath(options.text("out"));
    makeFolder(out);
    const checkpoints = new CheckpointFolder(out);
    const resume = options.has("resume") ? await checkpoints.newest(output.progress) : null;
    if (options.has("resume") && !resume) output.progress("no checkpoint yet: starting from the beginning");
    if (!options.has("resume")) {
      if (await checkpoints.unfinished()) throw new DuctusError("file/exists", `“${options.text("out")}” holds the checkpoints of a run that has not ended.`, "Go on with it with --resume, name another folder with --out, or remove its checkpoints.");
      checkpoints.clear();
    }
    const backend = openBackend(options, resume?.machine.threads);
    const weights = await loadFolderWeights(folder, output.progress);
    const work = { batch: config.batchSize, seq: config.packing ? config.maxLength : longest, otherCopies: 0 };
    const execution = resume?.machine.execution ?? planFor(backend, { config: folder.config, weights }, work);
    const start = init && flatAdapter({ ...init, tokens: init.tokens && withHeadRows(folder.config, weights, init.tokens) });
    const trainer = await SftTrainer.create(backend, folder.config, weights, config, start ?? undefined, execution);
    const control = new RunControl();
    const stop = () => control.stop();
    process.once("SIGINT", stop);
    try {
      const storage: Storage = weights.get("model.layers.0.mlp.up_proj.weight")?.storage ?? "f32";
      const machine: SftCheckpoint["machine"] = { device: "node", threads: backend.threads, execution: trainer.execution.plan, storage };
      output.progress(`${examples.length} examples, ${plan.length} steps, ${machine.execution.kind} execution, ${backend.threads} threads`);
      const result = await fineTune(trainer, plan, [], config, machine, control, {
        resumed: (checkpoint, differences) => {
          output.progress(`going on after step ${checkpoint.trainer.steps}`);
          for (const difference of differences) output.progress(`the numbers will differ in their last digits: ${difference}`);
        },
        checkpoint: (bytes, steps) => checkpoints.write(bytes, steps),
        step: async (step, { loss, learningRate, gradNorm, tokens }) => {
          await output.line({ step, loss, lr: learningRate, gradNorm, tokens });
          if (step % 10 === 0) output.progress(`step ${step} of ${plan.length}, loss ${loss.toFixed(4)}`);
        },
      }, resume);
      if (result.stopped) throw new DuctusError("train/stopped", `Stopped after ${result.steps} of ${plan.length} steps.`, "Go on with --resume.");
      const adapter = toLoraAdapter(folder.config, config.lora, result.adapter, config.lora.trainableTokenIndices);
      const info = { name: "", createdAt: Date.now(), modelId: options.text("model"), modelSha256: "", recipe: config };
      writeFile(out, WEIGHTS_FILE, peftSafetensors(adapter, {}));
      writeFile(out, CONFIG_FILE, peftConfigJson(adapter, info));
      const tokenizer = tokenizerFolder(folder.path, initPath);
      if (tokenizer !== folder.path) copyTokenizer(tokenizer, out);
      output.progress(`the adapter is in ${join(options.text("out"), WEIGHTS_FILE)}`);
    } finally {
      process.off("SIGINT", stop);
      await trainer.dispose();
    }
  },
};
