/**
 * Writes public/models/manifest.json from the model folders beside it, or with
 * `--check` only says whether it is up to date. Names and licences, which no
 * file states, stand in the table below. Run: `npx tsx tools/models/make-manifest.ts [--check]`.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { countParameters, parseModelConfig } from "../../lib/train/model/config";
import { manifestSchema, MODEL_FILES, type ModelEntry, type ModelManifest } from "../../lib/train/model/manifest";

const MODELS = [{ id: "ductus-base", name: "Ductus Base", licence: "CC BY-SA 4.0" }];

/** @param folder that holds one folder a model. */
export function makeManifest(folder: string): ModelManifest {
  return manifestSchema.parse({ version: 1, models: MODELS.map((model) => manifestEntry(join(folder, model.id), model)) });
}

/** @param folder the model's own */
export function manifestEntry(folder: string, { id, name, licence }: { id: string; name: string; licence: string }): ModelEntry {
  const files = MODEL_FILES.map((path) => {
    const content = readFileSync(join(folder, path));
    return { path, bytes: content.byteLength, sha256: createHash("sha256").update(content).digest("hex") };
  });
  const json = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as { architectures?: string[] };
  const weights = files.find(({ path }) => path === "model.safetensors");
  return { id, name, architecture: json.architectures?.[0] ?? "", parameters: countParameters(parseModelConfig(json)), licence, files, sha256: weights?.sha256 ?? "" };
}

function main(): void {
  const folder = fileURLToPath(new URL("../../public/models", import.meta.url));
  const target = join(folder, "manifest.json");
  const text = `${JSON.stringify(makeManifest(folder), null, 2)}\n`;
  if (process.argv.includes("--check")) {
    if (readFileSync(target, "utf8") !== text) {
      console.error("public/models/manifest.json is out of date: run npx tsx tools/models/make-manifest.ts");
      process.exitCode = 1;
    }
    return;
  }
  writeFileSync(target, text);
  console.log(`${target}: ${MODELS.length} model(s)`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
