"""The embedded model on three prompts: logits, the greedy continuation of 40
tokens of each alone, and of the three as one left-padded batch.

Weights are the folder's f16 values, exactly; arithmetic is float64. The script
fails if a greedy choice is a near-tie or if the model ends its text within the 40.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import torch
from transformers import AutoTokenizer, GenerationConfig

from common import DATA, in_float64, load_base, write_json, write_tensors
from tiny import greedy

FOLDER = DATA / "embedded"
STEPS, TOP = 40, 64
# name -> (form, words). The first is taken as it is; the other two go through the chat template.
PROMPTS = {
    "plain": (None, "it rained all afternoon and the old man sat by the window with his tea, and"),
    "continue": (
        "user",
        "Continue:\n\nThe last boat had gone before we reached the pier. Martha put down her two baskets, looked at "
        "the water, and said that nobody in her family had ever missed a boat before.",
    ),
    "keywords": ("user", "Write with these words: garden, brother, silver, evening, gate"),
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make(base: Path) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = load_base(base)
    tensors, prompts = {}, []
    rows = []
    for name, (role, words) in PROMPTS.items():
        text = words
        if role:
            text = tokenizer.apply_chat_template(
                [{"role": role, "content": words}], tokenize=False, add_generation_prompt=True
            )
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        rows.append(ids)
        prompts.append({"name": name, "text": text, "ids": ids})

    generation = GenerationConfig(do_sample=False, max_new_tokens=STEPS, eos_token_id=None, pad_token_id=0)
    with torch.no_grad():
        generated = [model.generate(torch.tensor([ids]), generation_config=generation)[0, len(ids) :].tolist() for ids in rows]
        logits32 = [model(input_ids=torch.tensor([ids])).logits[0] for ids in rows]
    with torch.no_grad(), in_float64(model):
        batched, batched_margin = greedy(model, rows, STEPS)
        for prompt, ids, by_generate, f32 in zip(prompts, rows, generated, logits32, strict=True):
            logits = model(input_ids=torch.tensor([ids])).logits[0]
            tokens, margin = greedy(model, [ids], STEPS)
            prompt["positions"] = [k * (len(ids) - 1) // 4 for k in range(4)]
            rest = logits[prompt["positions"]]
            top = rest.topk(TOP)
            name = prompt["name"]
            tensors[f"{name}.last"] = logits[-1]
            tensors[f"{name}.top_values"] = top.values
            tensors[f"{name}.top_ids"] = top.indices.int()
            prompt["logsumexp"] = rest.logsumexp(-1)
            prompt["last_logsumexp"] = float(logits[-1].logsumexp(-1))
            prompt["greedy"] = tokens[0]
            prompt["greedy_text"] = tokenizer.decode(tokens[0], skip_special_tokens=False)
            print(
                f"{name}: {len(ids)} tokens, smallest margin {margin:.3g}; f32 logits off by "
                f"{(f32 - logits).abs().max():.1e}; generate() in f32 the same: {by_generate == tokens[0]}; "
                f"in the batch the same: {tokens[0] == batched[len(tensors) // 3 - 1]}"
            )
            print(f"  {prompt['greedy_text']!r}")
            assert margin > 1e-3 and by_generate == tokens[0] and not {0, 1, 2} & set(tokens[0])
    assert batched == [p["greedy"] for p in prompts] and batched_margin > 1e-3
    write_tensors(FOLDER / "logits.safetensors", tensors)
    write_json(
        FOLDER / "prompts.json",
        {
            "model_sha256": sha256(base / "model.safetensors"),
            "tokenizer_sha256": sha256(base / "tokenizer.json"),
            "prompts": prompts,
        },
    )
