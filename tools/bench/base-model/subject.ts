/** The model that is measured, in Node: its folder opened once, scored and made to write. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { loadFolderWeights, openModelFolder, type ModelFolder } from "../../cli/model-folder";
import { openScorer } from "../../cli/scorer";
import { Generator } from "../../../lib/train/generate/generator";
import { scoreTexts, type TextScore, type TextToScore } from "../../../lib/train/generate/score-texts";
import type { GenerationOptions } from "../../../lib/train/generate/write";
import type { HeldWeights } from "../../../lib/train/model/held";
import type { TextTokenizer } from "../../../lib/train/model/tokenizer";
import { openNode } from "../../../lib/train/runtime/node";

/** Rows that are written together. */
const WRITTEN_TOGETHER = 25;

export class Subject {
  private constructor(
    readonly folder: ModelFolder,
    private readonly weights: HeldWeights,
    /** Ends a document. */
    readonly endId: number,
    /** UTF-8 bytes of each token, [vocab]; 0 of those that stand for no text. */
    readonly bytesOf: Uint8Array,
    private readonly progress: (text: string) => void,
  ) {}

  /** @throws DuctusError as openModelFolder and loadFolderWeights, Error where the tokenizer has no end of text */
  static async open(path: string, progress: (text: string) => void): Promise<Subject> {
    const folder = await openModelFolder(path);
    const endId = folder.tokenizer.tokenId("<|endoftext|>");
    if (endId === undefined) throw new Error("The tokenizer has no token <|endoftext|>.");
    return new Subject(folder, await loadFolderWeights(folder, () => undefined), endId, tokenBytes(folder), progress);
  }

  get tokenizer(): TextTokenizer {
    return this.folder.tokenizer;
  }

  get threads(): number {
    return availableParallelism();
  }

  /** @param maxPositions of the longest text with its prompt. @returns the scores, in order */
  async score(texts: readonly TextToScore[], maxPositions: number): Promise<TextScore[]> {
    const scorer = await openScorer(openNode(this.threads), this.folder.config, this.weights, null, maxPositions);
    try {
      let told = 0;
      return await scoreTexts(scorer, texts, null, {
        onProgress: (done) => {
          const tenth = Math.floor((10 * done) / texts.length);
          if (tenth > told) this.progress(`scoring: ${10 * (told = tenth)} %`);
        },
      });
    } finally {
      await scorer.dispose();
    }
  }

  /** Each prompt continued with its own seed. @returns tokens of each, without the stop token */
  async write(prompts: readonly (readonly number[])[], seed: string, options: Pick<GenerationOptions, "temperature" | "maxNewTokens" | "stopTokenIds" | "banned">): Promise<number[][]> {
    const longest = prompts.reduce((most, { length }) => Math.max(most, length), 0);
    const generator = await Generator.create(openNode(this.threads), this.folder.config, this.weights, null, longest + options.maxNewTokens);
    try {
      const written: number[][] = [];
      for (let from = 0; from < prompts.length; from += WRITTEN_TOGETHER) {
        const rows = prompts.slice(from, from + WRITTEN_TOGETHER).map((promptIds, i) => ({ promptIds, adapted: false, seed: `${seed}/${from + i}` }));
        for (const { tokens } of await generator.generate(rows, options)) written.push(tokens);
        this.progress(`writing: ${written.length} of ${prompts.length}`);
      }
      return written;
    } finally {
      await generator.dispose();
    }
  }
}

/** In a byte-level vocabulary every character of a token's name stands for a byte. */
function tokenBytes({ path, tokenizer }: ModelFolder): Uint8Array {
  const { model } = JSON.parse(readFileSync(join(path, "tokenizer.json"), "utf8")) as { model: { vocab: Record<string, number> } };
  const bytes = new Uint8Array(tokenizer.vocabSize);
  for (const [token, id] of Object.entries(model.vocab)) if (!tokenizer.specialIds.has(id)) bytes[id] = Math.min(255, [...token].length);
  return bytes;
}
