/** `merge`: an adapter written into its base model. */
import { join } from "node:path";
import * as z from "zod";
import { mergedConfigJson, mergedVocabSize, openMergeSource, writeMergedWeights } from "../../../lib/train/adapter/merge";
import { parseStrictJson } from "../../../lib/train/adapter/strict-json";
import { openAdapterFolder, openModelFolder, percentages, tokenizerFolder } from "../model-folder";
import { copyBesides, folderSink, newModelFolder } from "../out-folder";
import { readBytes, resolvePath, writeFile } from "../paths";
import { ADAPTER, MODEL, type Command } from "./command";

const DTYPES = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const;

export const merge: Command = {
  name: "merge",
  summary: "merge an adapter into its model",
  options: [
    MODEL,
    { ...ADAPTER, required: true },
    { name: "out", value: "DIR", required: true, help: "folder of the merged model; made where there is none. Must not hold a model yet" },
    { name: "dtype", value: "TYPE", help: "float32, float16 or bfloat16; default: that of each tensor in the model (float32 for one that `quantize` wrote)" },
  ],
  details: `
Writes a folder that transformers opens: model.safetensors (above 5 GB in shards with an index), config.json, generation_config.json and the tokenizer. Each weight is W + s · B·A, with sums in f64, rounded once to its number type: in float32 the merged model's logits are those of model and adapter together, in 16 bits they differ as 16 bits do. Tokens that the adapter adds or trains get their rows, and the adapter's own tokenizer, if its folder holds one, is the merged model's.

Output: one line, {"out","dtype","vocabSize","files":[…]}; dtype is null where each tensor kept its own.`,
  async run(options, output) {
    const chosen = options.choice("dtype", Object.keys(DTYPES) as (keyof typeof DTYPES)[]);
    const adapterPath = options.text("adapter");
    const folder = await openModelFolder(options.text("model"), adapterPath);
    const adapter = openAdapterFolder(adapterPath, folder.config);
    const source = await openMergeSource(folder.files, folder.config);
    const out = newModelFolder(options.text("out"));
    const sink = folderSink(out);
    const files: string[] = [];
    const dtypes = new Set([...source.tensors.values()].map(({ dtype }) => dtype));
    const dtype = chosen ? DTYPES[chosen] : undefined;
    const onProgress = percentages("writing the model", output.progress);
    await writeMergedWeights(source, adapter, { open: (name) => (files.push(name), sink.open(name)) }, { ...(dtype ? { dtype } : {}), onProgress });
    const vocabSize = mergedVocabSize(adapter, folder.config.vocabSize);
    const config = z.record(z.string(), z.unknown()).parse(parseStrictJson(readBytes(join(folder.path, "config.json"))));
    const [only] = dtypes.size === 1 ? dtypes : [];
    const written = dtype ?? only;
    writeFile(out, "config.json", mergedConfigJson(config, { ...(written ? { dtype: written } : {}), vocabSize }));
    copyBesides(folder.path, tokenizerFolder(folder.path, adapterPath), out);
    const name = Object.entries(DTYPES).find(([, type]) => type === written)?.[0] ?? null;
    await output.line({ out: resolvePath(options.text("out")), dtype: name, vocabSize, files });
  },
};
