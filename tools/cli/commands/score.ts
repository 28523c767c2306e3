/** `score`: how likely texts are under a model. */
import { DuctusError } from "../../../lib/core/errors";
import { scoreTexts } from "../../../lib/train/generate/score-texts";
import { readJsonLines } from "../json-lines";
import { openNamed } from "../model-folder";
import { resolvePath } from "../paths";
import { rowTokens, SCORED_FORMS, scoredBytes, scoredRow } from "../rows";
import { openScorer } from "../scorer";
import { ADAPTER, MODEL, THREADS, type Command } from "./command";

/** Texts scored together before their lines are written. */
const CHUNK = 64;

export const score: Command = {
  name: "score",
  summary: "log-probabilities and bits per byte of texts or completions",
  options: [MODEL, ADAPTER, { name: "texts", value: "FILE.jsonl", required: true, help: `a line a text: ${SCORED_FORMS}` }, THREADS],
  details: `
Output: a line for each, in order, {"tokens":n,"logProb":x,"bitsPerByte":x}: the tokens that were scored, the sum of their natural log-probabilities, and −logProb / ln 2 over the UTF-8 bytes of the completion (of the text); null for a completion without bytes.

Of a prompt and its completion, the completion is scored: both are tokenised together, as lm-evaluation-harness does, and it begins where the tokens part from those of the prompt alone. Nothing is appended. Of a plain text all tokens are scored that something predicts: the first only where the tokenizer puts a beginning token before it (its bytes count in either case). A conversation is rendered by the chat template; its completion ends as the template ends it.`,
  async run(options, output) {
    const path = resolvePath(options.text("texts"));
    const model = await openNamed(options, output.progress);
    const rows = readJsonLines(path, scoredRow, SCORED_FORMS);
    const prefix = model.tokenizer.textPrefixIds.length;
    const texts = rows.map(({ line, value }) => {
      const { ids, promptLength } = rowTokens(model.tokenizer, value);
      if (ids.length > model.config.maxPositions) throw new DuctusError("data/too-long", `Line ${line} has ${ids.length} tokens; this model reads ${model.config.maxPositions}.`, "Shorten it.");
      const begin = "text" in value ? prefix : promptLength;
      return { promptIds: ids.slice(0, begin), completionIds: ids.slice(begin), completionBytes: scoredBytes(value) };
    });
    const { config, weights, adapter } = await model.load();
    const longest = texts.reduce((most, { promptIds, completionIds }) => Math.max(most, promptIds.length + completionIds.length), 1);
    const scorer = await openScorer(model.backend, config, weights, adapter, longest);
    try {
      for (let start = 0; start < texts.length; start += CHUNK) {
        for (const [i, { tokens, logProb, bitsPerByte }] of (await scoreTexts(scorer, texts.slice(start, start + CHUNK), null)).entries()) {
          if (!Number.isFinite(logProb)) throw new DuctusError("generate/not-a-number", `The log-probability of line ${rows[start + i]!.line} is not a number.`, "The weights may be damaged, or too large for the type they are held in.");
          await output.line({ tokens, logProb, bitsPerByte });
        }
        output.progress(`${Math.min(texts.length, start + CHUNK)} of ${texts.length} texts`);
      }
    } finally {
      await scorer.dispose();
    }
  },
};
