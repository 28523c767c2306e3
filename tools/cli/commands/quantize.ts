/** `quantize`: a model with 8- or 4-bit weights. */
import { join } from "node:path";
import { heldBytes } from "../../../lib/train/model/quantize";
import { writeHeldModel } from "../../../lib/train/model/held-file";
import { WEIGHTS_FILE } from "../../../lib/train/model/shards";
import { loadCheckpoint } from "../../../lib/train/model/weights";
import { openModelFolder, percentages } from "../model-folder";
import { copyBesides, folderSink, newModelFolder } from "../out-folder";
import { readText, resolvePath, writeFile } from "../paths";
import { usage } from "../options";
import { MODEL, type Command } from "./command";

export const quantize: Command = {
  name: "quantize",
  summary: "hold a model's weights in 8 or 4 bits",
  options: [
    MODEL,
    { name: "bits", value: "8|4", required: true, help: "bits of a weight" },
    { name: "out", value: "DIR", required: true, help: "folder of the quantised model; made where there is none. Must not hold a model yet" },
  ],
  details: `
Matrices, the embedding among them, are held in blocks of 32 weights of a row with one f32 scale each (symmetric, the layout of ONNX Runtime's MatMulNBits); those whose rows are no multiple of 32 as float16, norms and biases as float32. Every command and the site read the folder; transformers does not.

Output: one line, {"out","bits","bytes","sha256"}; sha256 is that of the weights it was made from.`,
  async run(options, output) {
    const bits = options.choice("bits", ["8", "4"] as const);
    const storage = bits === "4" ? "q4" : "q8";
    const folder = await openModelFolder(options.text("model"));
    const out = newModelFolder(options.text("out"));
    const { weights, sha256 } = await loadCheckpoint(folder.config, folder.files, { matrices: storage, embedding: storage, onProgress: percentages("reading the model", output.progress) });
    const other = [...weights.values()].find((tensor) => "scales" in tensor && tensor.storage !== storage);
    if (other) throw usage(`The model is quantised already, to ${other.storage === "q8" ? 8 : 4} bits.`, "Quantise the model that it was made from.");
    const file = await folderSink(out).open(WEIGHTS_FILE);
    await writeHeldModel(weights, sha256, (part) => file.write(part), percentages("writing the model", output.progress));
    await file.close();
    writeFile(out, "config.json", readText(join(folder.path, "config.json")));
    copyBesides(folder.path, folder.path, out);
    const bytes = [...weights.values()].reduce((sum, tensor) => sum + heldBytes(tensor), 0);
    await output.line({ out: resolvePath(options.text("out")), bits: Number(bits), bytes, sha256 });
  },
};
