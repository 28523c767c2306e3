/**
 * The model card (README.md) that goes with an exported adapter: recipe,
 * numbers, and how to open it in Python. Hugging Face's card format (YAML
 * front matter, then Markdown). It holds nothing that the person wrote but the
 * name they gave, unless texts are given to it.
 */
import type { Score } from "../../store/types";
import type { AdapterInfo, LoraAdapter } from "./types";

/** What a card can say beyond what travels in an adapter's own notes. */
export interface CardExtras {
  /** What it learned from, in counts. */
  learnedFrom?: { examples: number; heldOut: number };
  /** Where the loss lies with so much confidence, in nats a token. */
  lossIntervals?: { level: number; base: readonly [low: number, high: number]; tuned: readonly [low: number, high: number] };
  /** Written from one prompt, which may hold lines of the person's: only where they want it. */
  texts?: { prompt: string; before?: string; after: string };
}

export function adapterCard(adapter: LoraAdapter, info: AdapterInfo, extras: CardExtras = {}): string {
  const name = inline(info.name);
  return `---
library_name: peft
pipeline_tag: text-generation
tags:
- lora
- ductus
---

# ${name === "" ? "Adapter" : name}

A LoRA adapter that lets a small language model write in one person's hand. It was trained with Ductus, inside a browser tab, on ${new Date(info.createdAt).toISOString().slice(0, 10)}. It does nothing without its base model, **${inline(info.modelId)}**, whose weights have the sha256 \`${info.modelSha256}\`.

${facts(adapter, info, extras)}${results(info, extras)}${texts(extras)}
## Open it in Python

Put the folder of the base model and this folder side by side:

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("${info.modelId}")
${addTokens(info)}base = AutoModelForCausalLM.from_pretrained("${info.modelId}", dtype="float32")
${resize(adapter)}model = PeftModel.from_pretrained(base, "path/to/this/folder")

messages = [{"role": "user", "content": "Write with these words: harbour, letter, winter"}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
output = model.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], max_new_tokens=80, do_sample=True, temperature=0.8, top_p=0.95)
print(tokenizer.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))
\`\`\`

## What to keep in mind

The adapter was trained on one person's writing and may repeat phrases of it. Share it only as you would share that writing.
`;
}

/** Added tokens, in the order of their ids: the tokenizer numbers them as they come. */
function addTokens({ addedTokens = [] }: AdapterInfo): string {
  if (addedTokens.length === 0) return "";
  const contents = [...addedTokens].sort((a, b) => a.id - b.id).map(({ content }) => asciiString(content));
  return `tokenizer.add_tokens([${contents.join(", ")}], special_tokens=True)\n`;
}

/** A string that JSON and Python read alike and that cannot end the block of code it stands in. */
const asciiString = (text: string) => JSON.stringify(text).replace(/[^ -~]|`/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The adapter brings the rows of tokens beyond the vocabulary, but PEFT wants room for them. */
function resize({ tokens }: LoraAdapter): string {
  return tokens ? `base.resize_token_embeddings(max(base.config.vocab_size, ${Math.max(...tokens.ids) + 1}))\n` : "";
}

function facts(adapter: LoraAdapter, { recipe, steps, trainTokens }: AdapterInfo, { learnedFrom }: CardExtras): string {
  const rows: [string, string][] = [
    ["rank", String(adapter.rank)],
    ["alpha", String(adapter.alpha) + (adapter.useRslora ? ", rsLoRA: the update is scaled by alpha / √rank" : "")],
    ["target modules", adapter.targetModules.join(", ")],
  ];
  if (adapter.tokens) rows.push(["trained tokens", String(adapter.tokens.ids.length)]);
  if (recipe) {
    rows.push(
      ["dropout", String(recipe.lora.dropout)],
      ["learning rate", `${recipe.learningRate}, warm-up over ${recipe.warmupRatio} of the steps, then linear to 0`],
      ["epochs", String(recipe.epochs)],
      ["examples a step", `${recipe.batchSize} × ${recipe.gradientAccumulationSteps}`],
      ["optimizer", `AdamW (${recipe.adamBeta1}, ${recipe.adamBeta2}), weight decay ${recipe.weightDecay}, gradient norm ${recipe.maxGradNorm === 0 ? "not clipped" : `clipped at ${recipe.maxGradNorm}`}`],
      ["seed", String(recipe.seed)],
    );
  }
  if (steps !== undefined) rows.push(["steps", String(steps)]);
  if (trainTokens !== undefined) rows.push(["tokens trained on", String(trainTokens)]);
  if (learnedFrom) rows.push(["examples learned from", String(learnedFrom.examples)], ["examples kept aside to check it", String(learnedFrom.heldOut)]);
  return `## Recipe\n\n| setting | value |\n|---|---|\n${rows.map(([key, value]) => `| ${key} | ${value} |`).join("\n")}\n`;
}

function results({ report }: AdapterInfo, { lossIntervals }: CardExtras): string {
  if (!report) return "";
  const row = (who: string, { loss, perplexity, bitsPerByte }: Score, interval?: readonly [number, number]) => {
    // Perplexity and bits are the loss on other scales, and so are their intervals.
    const cell = (value: number, digits: number, scaled: (nats: number) => number) => value.toFixed(digits) + (interval ? ` (${interval.map((nats) => scaled(nats).toFixed(digits)).join("–")})` : "");
    return `| ${who} | ${cell(loss, 4, (nats) => nats)} | ${cell(perplexity, 2, Math.exp)} | ${cell(bitsPerByte, 4, (nats) => (bitsPerByte * nats) / loss)} |`;
  };
  return `
## Results

On writing of the same person that was held out from training (${report.tuned.examples} examples, ${report.tuned.tokens} tokens):

| model | loss (nats a token) | perplexity | bits per byte |
|---|---|---|---|
${row("base", report.base, lossIntervals?.base)}
${row("with this adapter", report.tuned, lossIntervals?.tuned)}
${lossIntervals ? `\nIn brackets: where the value lies with ${Math.round(100 * lossIntervals.level)} % confidence, by a bootstrap over the held-out writing.\n` : ""}`;
}

function texts({ texts: given }: CardExtras): string {
  if (!given) return "";
  const { prompt, before, after } = given;
  const part = (title: string, text: string) => `${title}:\n\n${block(text)}\n`;
  return `\n## What it wrote\n\n${[part("Asked", prompt), ...(before === undefined ? [] : [part("Before it learned", before)]), part("With this adapter", after)].join("\n")}`;
}

/** A block of text that nothing in it can end. */
function block(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}text\n${text}\n${fence}`;
}

/** One line without Markdown's or HTML's signs, so that a name stays a name. */
function inline(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_[\]<>#|]/g, (sign) => `\\${sign}`).trim();
}
