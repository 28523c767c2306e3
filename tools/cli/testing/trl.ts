/**
 * Small runs of every form of data, for the comparison with TRL: the folders and
 * files that `sft` and tools/reference/sft_trl.py are both given.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECTIONS } from "../../../lib/train/sft/config";
import { writeTinyAdapter, writeTinyModel } from "./folders";

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

const COMPLETIONS = [
  { prompt: "Write of the sea.", completion: " It was grey, and it did not move." },
  { prompt: "Q: How many?\nA:", completion: " Three." },
  { prompt: "A word divided: gar", completion: "dening is slow work" },
  { prompt: "A prompt so long that nothing is left of its completion, since it goes on and on about the beans, the frost, the spade and the shed, and then about the fence and the kettle too.", completion: " No." },
  { prompt: "End here", completion: "<|im_end|>" },
  { prompt: "", completion: "Without a prompt." },
  { prompt: "Space at the end ", completion: "joins the next word." },
  { prompt: "", completion: "" },
  { prompt: "", completion: "" },
  { prompt: "", completion: "" },
];

const DATA = {
  text: [
    { text: "The rain had stopped, and the garden was as wet as a sponge." },
    { text: "Nobody came." },
    { text: "" },
    { text: "She wrote two letters that evening, and burned them both; the third she sent. It said nothing that the others had not said, but it said it in fewer words.<|im_end|>" },
    { text: "“Café,” he said — naïvely." },
    { text: "\n  Leading spaces, and a trailing one " },
    { text: "" },
    { text: "" },
    { text: "One two three four five six seven." },
    { text: "The last." },
  ],
  completion: COMPLETIONS,
  pairs: [
    { prompt: [user("Write with these words: harbour, letter")], completion: [assistant("The letter lay at the harbour.")] },
    { prompt: [{ role: "system", content: "Be short." }, user("And now?")], completion: [assistant("No.")] },
    { prompt: [user("Go on.")], completion: [assistant("I went on, and on."), user("More."), assistant("No more.")] },
    { prompt: [user("Last")], completion: [assistant("Done.")] },
  ],
  messages: [
    { messages: [user("Who is there?"), assistant("Nobody.")] },
    { messages: [{ role: "system", content: "You are a gardener." }, user("Beans?"), assistant("In May.  Not before."), user("Why?"), assistant("Frost.")] },
    { messages: [user("One"), assistant("Two")] },
  ],
  packed: COMPLETIONS,
};

/** Settings under TRL's names; no two runs have the same. */
const SETTINGS: Record<keyof typeof DATA, object> = {
  text: { per_device_train_batch_size: 2, gradient_accumulation_steps: 2, num_train_epochs: 3, learning_rate: 0.01, max_length: 40, weight_decay: 0.01, max_grad_norm: 1.0, warmup_steps: 2 },
  completion: { per_device_train_batch_size: 3, num_train_epochs: 2, learning_rate: 0.02, max_length: 32, lr_scheduler_type: "cosine", max_grad_norm: 0.5, adam_beta2: 0.95 },
  pairs: { per_device_train_batch_size: 1, gradient_accumulation_steps: 3, max_steps: 5, learning_rate: 0.02, lr_scheduler_type: "constant" },
  messages: { per_device_train_batch_size: 2, num_train_epochs: 2, learning_rate: 0.005, completion_only_loss: null, max_length: null },
  packed: { per_device_train_batch_size: 2, num_train_epochs: 2, learning_rate: 0.01, max_length: 64, packing: true },
};

export type TrlCase = keyof typeof DATA;
export const TRL_CASES = Object.keys(DATA) as TrlCase[];

/** A line of `sft`, and of what TRL logs. */
export interface TrlStep {
  step: number;
  loss: number;
  lr: number;
  gradNorm: number;
  tokens: number;
}

export interface TrlRun {
  steps: TrlStep[];
  examples: { input_ids: number[]; labels: number[] }[];
}

export interface TrlFolders {
  model: string;
  init: string;
  data: string;
  config: string;
}

export function writeTrlCase(folder: string, name: TrlCase): TrlFolders {
  mkdirSync(folder, { recursive: true });
  const at = { model: join(folder, "model"), init: join(folder, "init"), data: join(folder, `${name}.jsonl`), config: join(folder, `${name}.json`) };
  writeTinyModel(at.model, "trl");
  writeTinyAdapter(at.init, "trl", { rank: 3, alpha: 4, targetModules: PROJECTIONS });
  writeFileSync(at.data, DATA[name].map((row) => `${JSON.stringify(row)}\n`).join(""));
  writeFileSync(at.config, JSON.stringify({ ...SETTINGS[name], shuffle: false, seed: 1 }));
  return at;
}
