/** How the adapter is opened in Python, and where the base model is to be had. */
import { CopyButton } from "../_components/copy-button";
import { EMBEDDED_ID } from "../_components/model-words";

/** What transformers needs of the model that comes with the site. */
const BASE_FILES = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"] as const;

const code = (modelId: string): string => `from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("${modelId}")
base = AutoModelForCausalLM.from_pretrained("${modelId}", dtype="float32")
model = PeftModel.from_pretrained(base, "path/to/unzipped/folder")

prompt = "Write with these words: harbour, letter, winter"
messages = [{"role": "user", "content": prompt}]
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
output = model.generate(
    input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"],
    max_new_tokens=80, do_sample=True, temperature=0.7, top_p=0.95)
written = output[0][inputs["input_ids"].shape[1]:]
print(tokenizer.decode(written, skip_special_tokens=True))
`;

export function Elsewhere({ modelId }: { modelId: string }) {
  return (
    <section className="share-section" aria-labelledby="python">
      <h2 id="python" className="section-title">Open it in Python</h2>
      {modelId === EMBEDDED_ID ? (
        <>
          <p className="mt-2 max-w-[38rem]">The .zip is a folder as PEFT writes it. It needs the base model beside it, in a folder named <code>{modelId}</code>:</p>
          <ul className="base-files">
            {BASE_FILES.map((name) => <li key={name}><a className="link" href={`/models/${modelId}/${name}`} download={name}>{name}</a></li>)}
          </ul>
        </>
      ) : (
        <p className="mt-2 max-w-[38rem]">The .zip is a folder as PEFT writes it. It needs the base model beside it: the folder <code className="[overflow-wrap:anywhere]">{modelId}</code> that you brought in.</p>
      )}
      <code className="code mt-4" tabIndex={0}>{code(modelId)}</code>
      <div className="mt-2"><CopyButton text={code(modelId)} what="these lines" /></div>
    </section>
  );
}
