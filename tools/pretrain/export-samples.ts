/** What the finished model writes to a few prompts of our own, with fixed seeds: shown in the model card as it comes. */
import { type Message, type PromptSpec, toMessages } from "../../lib/data/forms";
import { toReplyMessages } from "../../lib/data/reply";
import { Generator } from "../../lib/train/generate/generator";
import type { Backend } from "../../lib/train/runtime/backend";
import type { OpenedModel } from "./export-check";
import { GENERATION_CONFIG } from "./export-files";

export interface Sample {
  /** As the card shows it. */
  prompt: string;
  seed: number;
  text: string;
}

const MAX_NEW_TOKENS = 120;

const ask = (prompt: PromptSpec): Message[] => toMessages(prompt);
const PROMPTS: readonly (readonly Message[])[] = [
  ask({ form: "continue", passage: "The door had been left open all night, and in the morning there was snow on the kitchen floor." }),
  ask({ form: "continue", passage: "so i went back to the shop and the man behind the counter looked at me like" }),
  ask({ form: "keywords", words: ["harbour", "letter", "winter", "mother"] }),
  ask({ form: "keywords", words: ["kettle"] }),
  toReplyMessages([{ author: "Ida", text: "hey are you coming tonight?" }], "Ben"),
  toReplyMessages([{ author: "Ida", text: "Did anybody find my umbrella?" }, { author: "Tom", text: "black one?" }, { author: "Ben", text: "There is one in the hall." }, { author: "Ida", text: "Is it blue inside?" }], "Ben"),
];
const SEEDS = [0, 1];

/** Every prompt with every seed, at the temperature of generation_config.json. */
export async function writeSamples(backend: Backend, { config, weights, tokenizer }: OpenedModel): Promise<Sample[]> {
  const rows = PROMPTS.flatMap((messages) => SEEDS.map((seed) => ({ messages, seed, promptIds: tokenizer.encodeChat(messages, true) })));
  const longest = Math.max(...rows.map(({ promptIds }) => promptIds.length));
  const generator = await Generator.create(backend, config, weights, null, longest + MAX_NEW_TOKENS);
  try {
    const written = await generator.generate(
      rows.map(({ promptIds, seed }) => ({ promptIds, seed, adapted: false })),
      { maxNewTokens: MAX_NEW_TOKENS, temperature: GENERATION_CONFIG.temperature, topP: GENERATION_CONFIG.top_p, stopTokenIds: [...GENERATION_CONFIG.eos_token_id], tokenizer },
    );
    return rows.map(({ messages, seed }, i) => ({ prompt: messages.map(({ role, content }) => (role === "user" ? content : `(answered: ${content})`)).join("\n"), seed, text: (written[i]?.text ?? "").trim() }));
  } finally {
    await generator.dispose();
  }
}
