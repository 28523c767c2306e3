/** Adapters for the model that comes with the site, made by the app's own code without training: for tests of what becomes of them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { Random } from "../lib/core/random";
import { packAdapter, zipPeft } from "../lib/train/adapter/file";
import { adapterToPeft } from "../lib/train/adapter/peft";
import { toLoraAdapter } from "../lib/train/adapter/tensors";
import type { AdapterInfo, LoraAdapter } from "../lib/train/adapter/types";
import { parseModelConfig } from "../lib/train/model/config";
import { adapterShapes } from "../lib/train/model/lora";
import { LARGE_MODEL_DEFAULTS } from "../lib/train/sft/config";

const base = (name: string): Buffer => readFileSync(new URL(`../public/models/ductus-base/${name}`, import.meta.url));
export const BASE = { modelId: "ductus-base", modelSha256: createHash("sha256").update(base("model.safetensors")).digest("hex") };

/** Small random factors, by a seed. @param size 0.02 changes what the model writes little, 0.1 changes all of it */
export function randomAdapter(seed: string, rank = 2, size = 0.02): LoraAdapter {
  const config = parseModelConfig(JSON.parse(base("config.json").toString()));
  const lora = { rank, alpha: 2 * rank, targetModules: ["q_proj", "v_proj"] as const };
  const random = new Random(seed);
  return toLoraAdapter(config, lora, new Map([...adapterShapes(config, lora)].map(([name, [rows, columns]]) => [name, Float32Array.from({ length: rows * columns }, () => size * random.normal())])));
}

const infoOf = (name: string): AdapterInfo => ({ name, createdAt: Date.UTC(2026, 0, 2), ...BASE });

/** The one-file form. */
export const adapterFile = (name: string, rank?: number, size?: number): Buffer => Buffer.from(packAdapter(randomAdapter(name, rank, size), { ...infoOf(name), steps: 20 }));
/** The zip of a PEFT folder. @param named what it calls its base model */
export const adapterZip = (name: string, rank?: number, named = BASE.modelId): Buffer => Buffer.from(zipPeft(adapterToPeft(randomAdapter(name, rank), { ...infoOf(name), modelId: named })));

/** Puts an adapter, and the run that it came from with what it wrote, straight into the store. The page must be loaded anew to see them. */
export async function putAdapter(page: Page, handId: string, name: string, size?: number): Promise<void> {
  const created = Date.now();
  const run = {
    id: `run-${name}`, handId, createdAt: created, updatedAt: created, status: "finished", ...BASE, dataHash: "ab", step: 20, totalSteps: 20, trainTokens: 900, trainExamples: 41, heldOutExamples: 5, elapsedMs: 1000, adapterId: `adapter-${name}`,
    config: LARGE_MODEL_DEFAULTS, checkpointStep: 20,
  };
  const score = (loss: number) => ({ loss, perplexity: Math.exp(loss), bitsPerByte: loss / 3, tokens: 100, bytes: 400, examples: 5 });
  const file = adapterFile(name, undefined, size);
  const records: [store: string, record: object][] = [
    ["runs", run],
    ["metrics", { runId: run.id, kind: "heldout", step: 0, loss: 4, tokens: 100, atMs: 1 }],
    ["metrics", { runId: run.id, kind: "heldout", step: 20, loss: 3.5, tokens: 100, atMs: 900 }],
    ["samples", { runId: run.id, step: 0, prompt: "Continue:\n\nThe oven was lit", text: "and the river went by." }],
    ["samples", { runId: run.id, step: 20, prompt: "Continue:\n\nThe oven was lit", text: "before anybody was awake." }],
    ["adapters", { id: run.adapterId, handId, runId: run.id, name, createdAt: created, ...BASE, fileBytes: file.byteLength, report: { base: score(4), tuned: score(3.5) } }],
    ["adapterFiles", { adapterId: run.adapterId, file: [...file] }],
    ["checkpoints", { runId: run.id, step: 20, savedAt: created, file: [1, 2, 3] }],
  ];
  await page.evaluate(async (all) => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("ductus");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("The database refused."));
    });
    const transaction = database.transaction([...new Set(all.map(([store]) => store))], "readwrite");
    for (const [store, record] of all) transaction.objectStore(store).put("file" in record ? { ...record, file: new Uint8Array(record.file as number[]) } : record);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error("The database refused."));
    });
    database.close();
  }, records);
}
