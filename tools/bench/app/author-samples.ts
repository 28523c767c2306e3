/**
 * What base and tuned write to the same prompts with the same seeds, as Compare
 * asks them: half of the prompts go on from a passage that was kept aside, half
 * give key words of what came next. Kept in the author's folder.
 */
import { join } from "node:path";
import { Random } from "../../../lib/core/random";
import { DEFAULT_MAX_PROMPT_WORDS } from "../../../lib/data/examples";
import { chooseKeyWords, toMessages, type PromptSpec } from "../../../lib/data/forms";
import { cutPassages } from "../../../lib/data/passages";
import { lastWords } from "../../../lib/data/words";
import { bannedSequences } from "../../../lib/train/generate/banned";
import { Generator } from "../../../lib/train/generate/generator";
import { keyOf, readKept, writeWhole, type AuthorRun, type Engine } from "./author-run";
import type { Author } from "./authors";

export const SAMPLES = 40;
/** As Compare has them until they are changed. */
const SAMPLING = { temperature: 0.7, topP: 0.95, maxNewTokens: 120 } as const;
const PASSAGE_WORDS = { low: 25, high: 70, max: 90 } as const;
const MAX_POSITIONS = 512;
const WRITTEN_TOGETHER = 20;

export interface Sample {
  seed: string;
  prompt: PromptSpec;
  base: string;
  tuned: string;
  /** What the author wrote there. */
  human: string;
}

interface Kept {
  key: string;
  samples: Sample[];
}

/** Evenly spread over the text, in turn of either form. @throws RangeError where there are too few passages */
export function promptsOf(author: Pick<Author, "name" | "promptText">, count = SAMPLES): Pick<Sample, "seed" | "prompt" | "human">[] {
  const passages = cutPassages(author.promptText, () => PASSAGE_WORDS);
  if (passages.length <= count) throw new RangeError(`What is kept of ${author.name} has ${passages.length} passages; more than ${count} are needed.`);
  const random = new Random(`app.recognised/${author.name}`);
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor((i * (passages.length - 1)) / count);
    const human = passages[at + 1]!.text;
    const words = i % 2 === 1 ? chooseKeyWords(human, random) : null;
    const prompt: PromptSpec = words === null ? { form: "continue", passage: lastWords(passages[at]!.text, DEFAULT_MAX_PROMPT_WORDS) } : { form: "keywords", words };
    return { seed: `app.recognised/${author.name}/${i}`, prompt, human };
  });
}

export async function writeSamples(author: Author, run: AuthorRun, { backend, model, cache, progress }: Engine): Promise<Sample[]> {
  const prompts = promptsOf(author);
  const key = await keyOf([run.key, SAMPLING, prompts]);
  const path = join(cache, author.name, "samples.json");
  const kept = readKept<Kept>(path, key);
  if (kept !== null) return kept.samples;

  const { tokenizer, stopTokenIds } = model;
  const generator = await Generator.create(backend, model.config, model.weights, run.config.lora, MAX_POSITIONS);
  const samples: Sample[] = [];
  try {
    const options = { ...SAMPLING, stopTokenIds, banned: bannedSequences(tokenizer, author.documents.map(({ text }) => text)) };
    for (let from = 0; from < prompts.length; from += WRITTEN_TOGETHER) {
      const some = prompts.slice(from, from + WRITTEN_TOGETHER);
      const rows = some.flatMap(({ prompt, seed }) => [false, true].map((adapted) => ({ promptIds: tokenizer.encodeChat(toMessages(prompt), true), adapted, seed })));
      const written = (await generator.generate(rows, options, run.adapter)).map(({ tokens }) => tokenizer.decode(tokens));
      some.forEach((prompt, i) => samples.push({ ...prompt, base: written[2 * i]!, tuned: written[2 * i + 1]! }));
      progress(`${author.name}: written to ${samples.length} of ${prompts.length} prompts`);
    }
  } finally {
    await generator.dispose();
  }
  writeWhole(path, JSON.stringify({ key, samples } satisfies Kept, null, 1));
  return samples;
}
