/** `logits`: what the model predicts at every position of a text. */
import { DuctusError } from "../../../lib/core/errors";
import { openNamed } from "../model-folder";
import { f32Json } from "../output";
import { readText, resolvePath } from "../paths";
import { positionLogits } from "../position-logits";
import { textTokens } from "../rows";
import { ADAPTER, MODEL, THREADS, type Command } from "./command";

export const logits: Command = {
  name: "logits",
  summary: "the logits of every position of a text",
  options: [MODEL, ADAPTER, { name: "text", value: "FILE", required: true, help: "the text, UTF-8" }, THREADS],
  details: `
Output: one line, {"tokens":[…],"logits":[[…]]}; logits[i] are those of the token after tokens[i], one for each entry of the vocabulary, with nine significant digits.

The text is taken as it stands, a line break at its end included, and tokenised as by a transformers tokenizer: names of special tokens become these tokens, and a beginning token comes first where the tokenizer adds one.`,
  async run(options, output) {
    const model = await openNamed(options, output.progress);
    const tokens = textTokens(model.tokenizer, readText(resolvePath(options.text("text"))));
    if (tokens.length === 0) throw new DuctusError("data/empty", "The text is empty.", "Give a text of at least one character.");
    const { maxPositions } = model.config;
    if (tokens.length > maxPositions) throw new DuctusError("data/too-long", `The text has ${tokens.length} tokens; this model reads ${maxPositions}.`, "Shorten it.");
    const { config, weights, adapter } = await model.load();
    let position = 0;
    for await (const row of positionLogits(model.backend, config, weights, adapter, tokens)) {
      if (row.some((value) => !Number.isFinite(value))) throw new DuctusError("generate/not-a-number", `The logits at position ${position} are not all numbers.`, "The weights may be damaged, or too large for the type they are held in.");
      const start = position === 0 ? `{"tokens":${JSON.stringify(tokens)},"logits":[` : ",";
      await output.write(`${start}[${Array.from(row, f32Json).join(",")}]`);
      position++;
      if (position % 64 === 0) output.progress(`${position} of ${tokens.length} positions`);
    }
    await output.write("]}\n");
  },
};
