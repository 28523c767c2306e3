/** The lines that open an adapter in Python, as the page shows them; the card in the folder has its own (lib/train/adapter/card.ts), which knows of added tokens. */

/** @param modelId the base model's folder @param folder where the zip was unpacked */
export const pythonLines = (modelId: string, folder = "path/to/unzipped/folder"): string => `from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("${modelId}")
base = AutoModelForCausalLM.from_pretrained("${modelId}", dtype="float32")
model = PeftModel.from_pretrained(base, "${folder}")

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
