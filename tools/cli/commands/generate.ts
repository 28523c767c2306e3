/** `generate`: goes on from prompts. */
import { DuctusError } from "../../../lib/core/errors";
import { flatAdapter } from "../../../lib/train/adapter/tensors";
import { Generator, type GenerationOptions } from "../../../lib/train/generate/generator";
import { readJsonLines } from "../json-lines";
import { openNamed } from "../model-folder";
import { usage } from "../options";
import { f32Number } from "../output";
import { resolvePath } from "../paths";
import { PROMPT_FORMS, promptRow, promptTokens } from "../rows";
import { ADAPTER, MODEL, THREADS, type Command } from "./command";

const DEFAULT_NEW_TOKENS = 128;
const DEFAULT_BATCH = 8;

export const generate: Command = {
  name: "generate",
  summary: "go on from prompts",
  options: [
    MODEL,
    ADAPTER,
    { name: "prompts", value: "FILE.jsonl", required: true, help: `a line a prompt: ${PROMPT_FORMS}` },
    { name: "greedy", help: "take the most likely token each time" },
    { name: "temperature", value: "X", help: "default: 1; 0 is --greedy" },
    { name: "top-p", value: "X", help: "the smallest set of most likely tokens that has this probability; default: 1, all" },
    { name: "top-k", value: "N", help: "the N most likely tokens; default: 0, all" },
    { name: "min-p", value: "X", help: "tokens at least X times as likely as the most likely; default: 0, all" },
    { name: "repetition-penalty", value: "X", help: "divides positive logits and multiplies negative ones of tokens that stand in the text already; default: 1, none" },
    { name: "seed", value: "N", help: "default: 0. Each prompt has its own random numbers, from the seed and its place in the file" },
    { name: "max-new-tokens", value: "N", help: `default: ${DEFAULT_NEW_TOKENS}` },
    { name: "stop", value: "TEXT", repeats: true, help: "ends the text where it appears, and is not part of it" },
    { name: "batch-size", value: "N", help: `prompts at a time; default: ${DEFAULT_BATCH}` },
    THREADS,
  ],
  details: `
Output: a line for each prompt, in order, {"text","tokens":[…],"logProbs":[…],"stop"}: the text without special tokens, the tokens drawn, the model's own natural log-probability of each (at temperature 1, before any of the options above), and "end" (an end token or a text of --stop was reached) or "length". The end token itself is not among the tokens, but those of a text of --stop are, and their log-probabilities: of tokens and logProbs nothing is cut away. End tokens are those of generation_config.json and config.json; where they name none, the tokenizer's.

The options have the meanings, and take effect in the order, of transformers' logits processors; defaults in generation_config.json are not used. A text is taken as it stands, a list of messages goes through the chat template with its generation prompt.`,
  async run(options, output) {
    const greedy = options.has("greedy");
    if (greedy && options.has("temperature")) throw usage("--greedy and --temperature contradict one another.", "Give one of them.");
    const seed = options.number("seed", 0, { whole: true });
    const batchSize = options.number("batch-size", DEFAULT_BATCH, { least: 1, most: 1024, whole: true });
    const settings = {
      temperature: greedy ? 0 : options.number("temperature", 1, { least: 0, most: 100 }),
      topP: options.number("top-p", 1, { least: 0, most: 1 }),
      topK: options.number("top-k", 0, { least: 0, whole: true }),
      minP: options.number("min-p", 0, { least: 0, most: 1 }),
      repetitionPenalty: options.number("repetition-penalty", 1, { least: 0.01, most: 100 }),
      maxNewTokens: options.number("max-new-tokens", DEFAULT_NEW_TOKENS, { least: 1, most: 1e6, whole: true }),
      stopStrings: options.all("stop"),
    };
    const path = resolvePath(options.text("prompts"));
    const model = await openNamed(options, output.progress);
    const prompts = readJsonLines(path, promptRow, PROMPT_FORMS).map(({ line, value }) => {
      const ids = promptTokens(model.tokenizer, value);
      if (ids.length >= model.config.maxPositions) throw new DuctusError("data/too-long", `The prompt in line ${line} has ${ids.length} tokens; this model reads ${model.config.maxPositions}, those that it writes included.`, "Shorten it.");
      return ids;
    });
    const { config, weights, adapter } = await model.load();
    const longest = prompts.reduce((most, ids) => Math.max(most, ids.length), 0);
    const generator = await Generator.create(model.backend, config, weights, adapter, longest + settings.maxNewTokens);
    const tensors = adapter && flatAdapter(adapter);
    const asked: GenerationOptions = { ...settings, stopTokenIds: model.stopTokenIds, tokenizer: model.tokenizer, logProbs: true };
    try {
      for (let start = 0; start < prompts.length; start += batchSize) {
        const rows = prompts.slice(start, start + batchSize).map((promptIds, i) => ({ promptIds, adapted: adapter !== null, seed: `${seed}-${start + i}` }));
        for (const { text, tokens, stop, logProbs } of await generator.generate(rows, asked, tensors)) {
          await output.line({ text, tokens, logProbs: logProbs!.slice(0, tokens.length).map(({ model: own }) => f32Number(own)), stop });
        }
        output.progress(`${start + rows.length} of ${prompts.length} prompts`);
      }
    } finally {
      await generator.dispose();
    }
  },
};
