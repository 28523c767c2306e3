/**
 * The model card (README.md) that goes with an exported adapter: recipe,
 * numbers, and how to open it in Python. Hugging Face's card format (YAML
 * front matter, then Markdown). It holds nothing that the person wrote but the
 * name they gave.
 */
import type { Score } from "../../store/types";
import type { AdapterInfo, LoraAdapter } from "./types";

export function adapterCard(adapter: LoraAdapter, info: AdapterInfo): string {
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

${facts(adapter, info)}${results(info)}
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

function facts(adapter: LoraAdapter, { recipe, steps, trainTokens }: AdapterInfo): string {
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
  return `## Recipe\n\n| setting | value |\n|---|---|\n${rows.map(([key, value]) => `| ${key} | ${value} |`).join("\n")}\n`;
}

function results({ report }: AdapterInfo): string {
  if (!report) return "";
  const row = (who: string, score: Score) => `| ${who} | ${score.loss.toFixed(4)} | ${score.perplexity.toFixed(2)} | ${score.bitsPerByte.toFixed(4)} |`;
  return `
## Results

On writing of the same person that was held out from training (${report.tuned.examples} examples, ${report.tuned.tokens} tokens):

| model | loss (nats a token) | perplexity | bits per byte |
|---|---|---|---|
${row("base", report.base)}
${row("with this adapter", report.tuned)}
`;
}

/** One line without Markdown's or HTML's signs, so that a name stays a name. */
function inline(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_[\]<>#|]/g, (sign) => `\\${sign}`).trim();
}
