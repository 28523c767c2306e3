/** `logits`: what the model predicts at every position of a text. */
import { DuctusError } from "../../../lib/core/errors";
import { loadFolderWeights, openAdapterFolder, openBackend, openModelFolder } from "../model-folder";
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
    const adapterPath = options.optionalText("adapter");
    const folder = await openModelFolder(options.text("model"), adapterPath);
    const adapter = adapterPath === undefined ? null : openAdapterFolder(adapterPath, folder.config);
    const tokens = textTokens(folder.tokenizer, readText(resolvePath(options.text("text"))));
    if (tokens.length === 0) throw new DuctusError("data/empty", "The text is empty.", "Give a text of at least one character.");
    if (tokens.length > folder.config.maxPositions) throw new DuctusError("data/too-long", `The text has ${tokens.length} tokens; this model reads ${folder.config.maxPositions}.`, "Shorten it.");
    const backend = openBackend(options);
    const weights = await loadFolderWeights(folder, output.progress);
    let position = 0;
    for await (const row of positionLogits(backend, folder.config, weights, adapter, tokens)) {
      if (row.some((value) => !Number.isFinite(value))) throw new DuctusError("generate/not-a-number", `The logits at position ${position} are not all numbers.`, "The weights may be damaged, or too large for the type they are held in.");
      const start = position === 0 ? `{"tokens":${JSON.stringify(tokens)},"logits":[` : ",";
      await output.write(`${start}[${Array.from(row, f32Json).join(",")}]`);
      position++;
      if (position % 64 === 0) output.progress(`${position} of ${tokens.length} positions`);
    }
    await output.write("]}\n");
  },
};
