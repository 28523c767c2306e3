/**
 * Adapters that bring rows of the vocabulary: used as they were trained, kept
 * without the rows that are the model's own, and taken away again whole; one
 * whose tokens have no place in this model is refused in words.
 */
import { readFileSync } from "node:fs";
import { expect, test, type Page } from "@playwright/test";
import { strFromU8, unzipSync, zipSync, type Zippable } from "fflate";
import { beginWith, compareFrom, download, goTo, OWN_TEXT, RUN_TIMEOUT_MS, START_TIMEOUT_MS } from "./person";
import { readTensors, writeTensors } from "./safetensors";
import { stored } from "./stored";
import { watch } from "./watch";

const base = (name: string): Buffer => readFileSync(new URL(`../public/models/ductus-base/${name}`, import.meta.url));
const { hidden_size: WIDTH, num_hidden_layers: LAYERS, num_attention_heads: HEADS, head_dim: HEAD, vocab_size: VOCABULARY } = JSON.parse(base("config.json").toString()) as Record<string, number> as Record<"hidden_size" | "num_hidden_layers" | "num_attention_heads" | "head_dim" | "vocab_size", number>;
const tokenizer = JSON.parse(base("tokenizer.json").toString()) as { added_tokens: object[]; model: { vocab: Record<string, number> } };
const THE = tokenizer.model.vocab["Ġthe"]!;
const ADDED = { id: VOCABULARY, content: "<|aside|>" };
const rows = readTensors(base("model.safetensors")).tensors.get("model.embed_tokens.weight")!.data;

/** The row of “ the”, so long that the model writes hardly anything else. */
const loud = (): Float32Array => rows.slice(THE * WIDTH, (THE + 1) * WIDTH).map((value) => 6 * value);

/** A folder as PEFT writes it, with factors that change nothing. */
function peft(settings: object, tokens: { name: string; shape: number[]; data: Float32Array }[], added: object[] = []): Uint8Array {
  const factors = Array.from({ length: LAYERS }, (_, layer) => {
    const at = `base_model.model.model.layers.${layer}.self_attn.q_proj`;
    return [{ name: `${at}.lora_A.weight`, shape: [1, WIDTH], data: new Float32Array(WIDTH) }, { name: `${at}.lora_B.weight`, shape: [HEADS * HEAD, 1], data: new Float32Array(HEADS * HEAD) }];
  }).flat();
  const files: Zippable = {
    "adapter_config.json": Buffer.from(JSON.stringify({ peft_type: "LORA", task_type: "CAUSAL_LM", r: 1, lora_alpha: 1, target_modules: ["q_proj"], ...settings })),
    "adapter_model.safetensors": writeTensors([...factors, ...tokens]),
  };
  if (added.length > 0) files["tokenizer.json"] = Buffer.from(JSON.stringify({ ...tokenizer, added_tokens: [...tokenizer.added_tokens, ...added] }));
  return zipSync(files, { level: 1 });
}

const TRAINED = "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta";

async function bringIn(page: Page, name: string, zip: Uint8Array): Promise<void> {
  await page.getByTestId("import-adapter").setInputFiles({ name, mimeType: "application/zip", buffer: Buffer.from(zip) });
  await expect(page.getByTestId("import-status").getByText(/It fits|^$/)).toHaveText(/It fits/, { timeout: START_TIMEOUT_MS });
}

test("trained rows of the vocabulary are used, kept, and taken away again", async ({ page, context, baseURL }) => {
  test.setTimeout(2 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await beginWith(page, "night-bread.txt", OWN_TEXT);
  await page.goto("/share");

  await test.step("one whose token stands where the model has another is refused", async () => {
    const data = new Float32Array(WIDTH);
    const zip = peft({ trainable_token_indices: [THE] }, [{ name: TRAINED, shape: [1, WIDTH], data }], [{ id: THE, content: "<|other|>" }]);
    await page.getByTestId("import-adapter").setInputFiles({ name: "other.zip", mimeType: "application/zip", buffer: Buffer.from(zip) });
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "adapter/other-tokens", { timeout: START_TIMEOUT_MS });
    expect((await stored(page)).adapters).toEqual([]);
  });

  await test.step("a row and a new token, by their ids", async () => {
    const data = new Float32Array(2 * WIDTH);
    data.set(loud());
    await bringIn(page, "rows.zip", peft({ trainable_token_indices: [THE, ADDED.id] }, [{ name: TRAINED, shape: [2, WIDTH], data }], [{ ...ADDED, special: true }]));
    await goTo(page, "Compare");
    const { base: before, tuned: after } = await compareFrom(page, "I went down to the gate.");
    expect(after).toMatch(/\bthe the the\b/);
    expect(before).not.toMatch(/\bthe the\b/);
    await page.getByTestId("part-measured").click();
    await page.getByTestId("measure").click();
    await expect(page.getByTestId("scores")).toHaveAttribute("data-whole", "true", { timeout: RUN_TIMEOUT_MS });
    const { report } = (await stored(page)).adapters[0]!;
    expect(report!.tuned.loss).toBeGreaterThan(report!.base.loss + 1);

    await goTo(page, "Take away");
    const folder = unzipSync((await download(page, page.getByTestId("download-peft"))).bytes);
    expect(JSON.parse(strFromU8(folder["adapter_config.json"]!))).toMatchObject({ trainable_token_indices: [THE, ADDED.id] });
    expect([...readTensors(Buffer.from(folder["adapter_model.safetensors"]!)).tensors.get(TRAINED)!.data]).toEqual([...data]);
    expect(strFromU8(folder["README.md"]!)).toContain(ADDED.content);
  });

  await test.step("the whole matrix with one row changed is kept as that row", async () => {
    const whole = rows.slice();
    whole.set(loud(), THE * WIDTH);
    await bringIn(page, "whole.zip", peft({ modules_to_save: ["embed_tokens"], ensure_weight_tying: true }, [{ name: "base_model.model.model.embed_tokens.weight", shape: [VOCABULARY, WIDTH], data: whole }]));
    expect((await stored(page)).adapters[1]!.fileBytes).toBeLessThan(200_000);
    await goTo(page, "Compare");
    const { tuned } = await compareFrom(page, "I went down to the gate.");
    expect(tuned).toMatch(/\bthe the the\b/);
  });

  await test.step("without a changed row, nothing is written otherwise", async () => {
    await goTo(page, "Take away");
    await bringIn(page, "same.zip", peft({ modules_to_save: ["embed_tokens"], ensure_weight_tying: true }, [{ name: "base_model.model.model.embed_tokens.weight", shape: [VOCABULARY, WIDTH], data: rows }]));
    await goTo(page, "Compare");
    const { base: before, tuned: after } = await compareFrom(page, "I went down to the gate.");
    expect(after).toBe(before);
  });
  seen.expectClean();
});
