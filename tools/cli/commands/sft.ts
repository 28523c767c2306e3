/** `sft`: trains an adapter on examples. */
import { join } from "node:path";
import { DuctusError } from "../../../lib/core/errors";
import { CONFIG_FILE, peftConfigJson, peftSafetensors, WEIGHTS_FILE } from "../../../lib/train/adapter/peft";
import { toLoraAdapter } from "../../../lib/train/adapter/tensors";
import { planFor } from "../../../lib/train/execution/open";
import { mainStorage } from "../../../lib/train/model/groups";
import { RunControl } from "../../../lib/train/loop";
import { machineOf, requireSameModel } from "../../../lib/train/sft/checkpoint";
import { fineTune } from "../../../lib/train/sft/fine-tune";
import { SETTING_NAMES } from "../../../lib/train/sft/peft-trl";
import { planSteps } from "../../../lib/train/sft/plan";
import { startFrom } from "../../../lib/train/sft/start";
import { SftTrainer, startingAdapter } from "../../../lib/train/sft/trainer";
import { openAdapterFile } from "../adapter-file";
import { CheckpointFolder, requireReadable } from "../checkpoints";
import { loadFolderCheckpoint, openAdapterFolder, openBackend, openModelFolder, tokenizerFolder } from "../model-folder";
import { readNewTokens } from "../new-tokens";
import { usage } from "../options";
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
    { name: "eval", value: "FILE.jsonl", help: "held-out examples, in the same forms: their loss is measured along the run" },
    { name: "out", value: "DIR", required: true, help: "folder of the adapter, as PEFT lays it out; checkpoints are kept in DIR/checkpoints" },
    { name: "init", value: "ADAPTER_DIR", help: "adapter to start from; it brings rank, alpha, target modules, and trained and added tokens with their tokenizer. Default: a fresh one (A random from the seed, B zero)" },
    { name: "adapter", value: "FILE", help: "the same from the one file that the site saves (.safetensors), or from a zip of PEFT's folder; not for adapters that add tokens" },
    { name: "add-tokens", value: "FILE.json", help: "a JSON array of texts: special tokens whose rows of the vocabulary are trained beside the adapter and saved with it; those that the tokenizer does not know are added to it. Not with --init or --adapter" },
    { name: "config", value: "FILE.json", help: "settings, with the names of TRL's SFTConfig and PEFT's LoraConfig; what is left out has the value that it has there" },
    { name: "resume", help: "go on where the last checkpoint in DIR stands; from the beginning where there is none. Without it, an unfinished run in DIR is an error" },
    { ...THREADS, help: `${THREADS.help}; with --resume the default is the number that the run was begun with` },
  ],
  details: `
Output: a line a step, {"step","loss","lr","gradNorm","tokens"}: the mean loss of the step's scored tokens (nats, before the update), the learning rate, the norm of the gradient before clipping, and the step's tokens, prompts included. With --eval also lines {"step","evalLoss"}, the mean loss of all scored tokens of its examples after so many steps, 0 among them. Then DIR holds adapter_config.json and adapter_model.safetensors, and the tokenizer, where --init or --add-tokens brings one of its own. Added tokens get the next free ids, behind the model's vocabulary where it has no row to spare (transformers: model.resize_token_embeddings(len(tokenizer)) before PEFT loads the adapter), and rows near the mean of all, as there.

Tokens, masks, truncation and the weights of losses are those of TRL 1.16's SFTTrainer in f32: the end token is appended to texts and completions, not to conversations; the loss is on completions where there are prompts (completion_only_loss), else on every token; rows are cut at max_length (null: not at all). Losses, rates and norms equal TRL's (with train_sampling_strategy="sequential" and bf16=False) where nothing is left to chance: from an adapter of --init or --adapter, with "shuffle": false, without lora_dropout and NEFTune. A fresh adapter's A, the order, dropout and noise are drawn from the seed by a generator of our own, so such runs have TRL's distributions and not its numbers. Two things differ always: names of special tokens inside messages stay text, and with packing too rows that are cut within their prompt are left out.

The held-out loss is measured before the first step, at the end, and between them every eval_steps steps, or, where that is left out, evaluations times (8, evenly spread). With early_stopping_patience N the run ends after N measurements in a row that brought no lower loss. With load_best_model_at_end the adapter is that of the lowest loss, else the last.

A run that was killed and goes on with --resume prints the steps after its last checkpoint, equal to the last bit to those of a run that was not. Checkpoints are written at the start, at each multiple of save_steps (left out: every few seconds), where the held-out loss is measured, and at the end; the newest two are kept. On SIGINT the run writes one and ends.

Settings: ${SETTING_NAMES.join(", ")}. The other names of SFTConfig and LoraConfig may stand beside them: those of folders, logs, devices, data loaders and speed change no number and are passed over; the rest must have the value that is computed here. A file that the site has saved is read too.`,
  async run(options, output) {
    const initPath = options.optionalText("init");
    const filePath = options.optionalText("adapter");
    const tokensPath = options.optionalText("add-tokens");
    if (initPath !== undefined && filePath !== undefined) throw usage("--init and --adapter contradict one another: a run starts from one adapter.", "Give one of them.");
    if (filePath !== undefined && tokensPath !== undefined) throw usage("--adapter and --add-tokens contradict one another: the adapter settles which tokens are trained.", "Give one of them.");
    if (initPath !== undefined && tokensPath !== undefined) throw usage("--init and --add-tokens contradict one another: an adapter brings tokens of its own.", "Give one of them.");
    const folder = await openModelFolder(options.text("model"), initPath);
    const file = filePath === undefined ? null : openAdapterFile(filePath, folder);
    const init = initPath === undefined ? (file?.adapter ?? null) : openAdapterFolder(initPath, folder.config);
    const added = tokensPath === undefined ? null : readNewTokens(tokensPath, folder);
    const tokenizer = added?.tokenizer ?? folder.tokenizer;
    const configPath = options.optionalText("config");
    const evalPath = options.optionalText("eval");
    const { config: asked, data, keepBest } = readSettings(configPath === undefined ? null : resolvePath(configPath), init, evalPath !== undefined);
    const unknown = init ? undefined : asked.lora.trainableTokenIndices.find((id) => id >= folder.config.vocabSize);
    if (unknown !== undefined) throw new DuctusError("train/settings", `trainable_token_indices names token ${unknown}; the tokens of this model are 0 to ${folder.config.vocabSize - 1}.`, "Name tokens of the model, or add some with --add-tokens.");
    const { examples, completionOnly } = readExamples(resolvePath(options.text("data")), tokenizer, data, output.progress);
    // As in TRL the examples to train on decide for those that are held out.
    const heldOut = evalPath === undefined ? [] : readExamples(resolvePath(evalPath), tokenizer, { ...data, completionOnlyLoss: completionOnly }, output.progress).examples;
    const longest = [...examples, ...heldOut].reduce((most, { ids }) => Math.max(most, ids.length), 0);
    if (longest > folder.config.maxPositions) throw new DuctusError("data/too-long", `An example has ${longest} tokens; this model reads ${folder.config.maxPositions}.`, `Set max_length to ${folder.config.maxPositions} or less.`);
    const trainableTokenIndices = [...new Set([...asked.lora.trainableTokenIndices, ...(added?.ids ?? [])])];
    const config = { ...asked, maxLength: data.maxLength ?? longest, lora: { ...asked.lora, trainableTokenIndices } };
    const plan = planSteps(Array.from({ length: Math.ceil(config.epochs) }, () => examples), config);

    const out = resolvePath(options.text("out"));
    makeFolder(out);
    const checkpoints = new CheckpointFolder(out);
    const resume = options.has("resume") ? await checkpoints.newest(output.progress) : null;
    if (options.has("resume") && !resume) output.progress("no checkpoint yet: starting from the beginning");
    if (!options.has("resume")) {
      if (await checkpoints.unfinished(output.progress)) throw new DuctusError("file/exists", `“${options.text("out")}” holds the checkpoints of a run that has not ended.`, "Go on with it with --resume, name another folder with --out, or remove its checkpoints.");
      checkpoints.clear();
    }
    const backend = openBackend(options, resume?.machine.threads);
    const { weights, sha256 } = await loadFolderCheckpoint(folder, output.progress);
    file?.requireModel(sha256);
    if (resume) requireSameModel(resume, sha256);
    const work = { batch: config.batchSize, seq: config.packing ? config.maxLength : longest, otherCopies: 0 };
    const before = resume?.machine.storage === mainStorage(weights) ? resume.machine.execution : undefined;
    const execution = before ?? planFor(backend, { config: folder.config, weights }, work);
    const start = init
      ? startFrom(init, folder.config, weights, config)
      : startingAdapter(folder.config, weights, config, added?.added);
    const trainer = await SftTrainer.create(backend, folder.config, weights, config, start, execution);
    const control = new RunControl();
    const stop = () => control.stop();
    process.once("SIGINT", stop);
    try {
      requireReadable([...trainer.adapter.values()].map(({ length }) => length), config, heldOut.length > 0);
      const machine = { ...machineOf(backend, weights, trainer.execution.plan), modelSha256: sha256 };
      output.progress(`${examples.length} examples, ${plan.length} steps, ${machine.execution.kind} execution, ${backend.threads} threads`);
      const result = await fineTune(trainer, plan, heldOut, config, machine, control, {
        resumed: (checkpoint, differences) => {
          output.progress(`going on after step ${checkpoint.trainer.steps}`);
          for (const difference of differences) output.progress(`the numbers will not be those of the run that was cut: ${difference}`);
        },
        checkpoint: (bytes, steps) => checkpoints.write(bytes, steps),
        heldOut: (step, { loss }) => output.line({ step, evalLoss: loss }),
        step: async (step, { loss, learningRate, gradNorm, tokens }) => {
          await output.line({ step, loss, lr: learningRate, gradNorm, tokens });
          if (step % 10 === 0) output.progress(`step ${step} of ${plan.length}, loss ${loss.toFixed(4)}`);
        },
      }, resume).catch((error: unknown) => {
        throw error instanceof DuctusError && error.code === "train/diverged" ? divergedHere(error, checkpoints.path) : error;
      });
      if (result.endedEarly) output.progress(`ended after ${result.steps} of ${plan.length} steps: the held-out loss has stopped falling`);
      if (keepBest) output.progress(`the held-out loss was lowest after ${result.bestStep} steps`);
      if (result.stopped) throw new DuctusError("train/stopped", `Stopped after ${result.steps} of ${plan.length} steps.`, "Go on with --resume.");
      const adapter = toLoraAdapter(folder.config, config.lora, keepBest ? result.adapter : trainer.adapter, config.lora.trainableTokenIndices);
      const info = { name: "", createdAt: Date.now(), modelId: options.text("model"), modelSha256: sha256, recipe: config };
      writeFile(out, WEIGHTS_FILE, peftSafetensors(adapter, {}));
      writeFile(out, CONFIG_FILE, peftConfigJson(adapter, info));
      const own = tokenizerFolder(folder.path, initPath);
      if (added) added.write(out);
      else if (own !== folder.path) copyTokenizer(own, out);
      output.progress(`the adapter is in ${join(options.text("out"), WEIGHTS_FILE)}`);
    } finally {
      process.off("SIGINT", stop);
      await trainer.dispose();
    }
  },
};

/** The engine's own words are for somebody in front of the page. */
const divergedHere = ({ message, details }: DuctusError, checkpoints: string) =>
  new DuctusError("train/diverged", message, `Lower learning_rate, or look for rows that are no text. The checkpoints in “${checkpoints}” are older than the fault: --resume goes on from the newest, with other settings too; without it, remove them or name another folder with --out.`, details === undefined ? {} : { details });
