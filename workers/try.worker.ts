import { AutoTokenizer } from "@huggingface/transformers";
import * as ort from "onnxruntime-web/wasm";

export const tokenizer = AutoTokenizer;
async function main() {
  ort.env.wasm.numThreads = 2;
  let message = `threads isolated=${String(self.crossOriginIsolated)}`;
  try {
    await ort.InferenceSession.create(new Uint8Array([1, 2, 3]));
  } catch (error) {
    message += ` ort: ${String(error)}`;
  }
  try {
    await fetch("https://example.com/");
    message += " LEAK";
  } catch {
    message += " refused";
  }
  self.postMessage(message);
}
void main();
