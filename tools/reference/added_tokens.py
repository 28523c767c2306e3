"""Rows of the vocabulary trained beside LoRA (PEFT's trainable_token_indices,
with rsLoRA), on a tied and an untied model of families.py: tokens within the
vocabulary and new ones behind it, in no order. Logits, loss and gradients of
PEFT's own adapter; and logits of adapters that we wrote (ours.ts), by PEFT.
And the embedded model's tokenizer with tokens added by transformers.
"""

from __future__ import annotations

import json
import shutil

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoTokenizer

from common import DATA, generator, in_float64, load_base, pad_right, save_adapter, write_json, write_tensors
from tiny import both_precisions, check_every_parameter_matters

FOLDER = DATA / "added-tokens"
# The new ids are those that follow the vocabulary of 64. An untied head is trained only where it is named.
TOKENS = {"llama3-tied": [65, 7, 64], "qwen2-untied": {"embed_tokens": [9, 64], "lm_head": [9, 64]}}


def ids_of(tokens) -> list[int]:
    return tokens["embed_tokens"] if isinstance(tokens, dict) else tokens


def resized(name: str, ids: list[int]):
    """The base model with room for the new tokens; what stands in their rows must not matter, and so is far off."""
    base = load_base(DATA / name)
    old = base.config.vocab_size
    base.resize_token_embeddings(max(old, max(ids) + 1), mean_resizing=False)
    with torch.no_grad():
        for table in {base.get_input_embeddings().weight, base.get_output_embeddings().weight}:
            table[old:] = 50.0
    return base.eval()


def tensor_name(parameter: str) -> str:
    return parameter.replace(".default.weight", ".weight").removesuffix(".default")


def make_batch(ids: list[int], seed: int):
    """Three rows of 11, 7 and 9 tokens; every trained token stands in a prompt, and as a target, and is looked up behind."""
    g = generator(seed)
    lengths, prompts = [11, 7, 9], [5, 4, 1]
    rows = [torch.randint(1, 64, (length,), generator=g).tolist() for length in lengths]
    for k, token in enumerate(ids):
        rows[k % 3][2] = token
        rows[(k + 1) % 3][-2] = token
        rows[(k + 2) % 3][-1] = token
    return {"lengths": lengths, "prompt_lengths": prompts, "rows": rows}, *pad_right(rows, prompts)


def make_one(name: str, seed: int) -> None:
    print(f"added tokens, {name}")
    tokens, folder = TOKENS[name], FOLDER / name
    ids = ids_of(tokens)
    model = get_peft_model(
        resized(name, ids),
        LoraConfig(
            r=2, lora_alpha=3, use_rslora=True, lora_dropout=0.0, target_modules=["q_proj", "down_proj"],
            task_type="CAUSAL_LM", trainable_token_indices=tokens,
        ),
    ).eval()
    g = generator(seed)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter.requires_grad:
                scale = 0.25 if "lora_A" in parameter_name else 0.3
                parameter.copy_(torch.randn(parameter.shape, generator=g) * scale)
    save_adapter(model, folder / "adapter", name)
    loaded = PeftModel.from_pretrained(resized(name, ids), folder / "adapter", is_trainable=True).eval()
    described, *batch = make_batch(ids, seed + 1)
    check_every_parameter_matters(loaded, batch, f"{name} lora tokens")
    logits, loss, gradients = both_precisions(loaded, batch, f"{name} tokens")
    assert logits.shape[-1] == max(64, max(ids) + 1)
    for parameter_name, gradient in gradients.items():
        assert gradient.abs().amax(-1).min() > 1e-4, f"a row of {parameter_name} is not trained"
    write_tensors(folder / "gradients.safetensors", {tensor_name(n): t for n, t in gradients.items()})
    _, ids_in, mask, _ = described, *batch
    results = {"adapter": logits}
    ours = folder / "ours"
    if (ours / "adapter_config.json").exists():
        given = load_file(ours / "adapter_model.safetensors")
        opened = PeftModel.from_pretrained(resized(name, ids), ours).eval()
        held = get_peft_model_state_dict(opened, save_embedding_layers=False)
        assert set(given) == set(held) and all(torch.equal(given[key], held[key]) for key in given)
        theirs = json.loads((folder / "adapter" / "adapter_config.json").read_text())
        written = json.loads((ours / "adapter_config.json").read_text())
        assert set(theirs) == set(written) and theirs["trainable_token_indices"] == written["trainable_token_indices"]
        with torch.no_grad(), in_float64(opened):
            results["ours"] = opened(input_ids=ids_in, attention_mask=mask, use_cache=False).logits * mask[..., None]
        print(f"  ours: {len(given)} tensors; logits moved by {float((results['ours'] - logits).abs().mean()):.2f} against PEFT's adapter")
    else:
        print("  ours is not there yet: run ours.ts, then this part again")
    write_tensors(folder / "logits.safetensors", results)
    write_json(folder / "batch.json", described | {"completion_tokens": int((batch[2][:, 1:] != -100).sum()), "loss": loss})


def make_tokenizer(base) -> None:
    """Two new tokens and one that is a plain word of the vocabulary, added to the embedded model's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    word = "the"
    assert tokenizer.convert_tokens_to_ids(word) is not None and word not in tokenizer.get_added_vocab()
    tokens = ["<|aside|>", word, "\u201cvoice:tr\u00e8s-bas\u201d", "<|im_end|>"]
    before = len(tokenizer)
    added = tokenizer.add_tokens(tokens, special_tokens=True)
    texts = [
        "<|aside|>", "she said<|aside|>\u201cvoice:tr\u00e8s-bas\u201d so", " <|aside|> ", "<|aside|><|aside|>", "<|asid|> aside|>",
        "other breath, the end<|im_end|>", "",
    ]
    write_json(
        FOLDER / "tokenizer.json",
        {
            "tokens": tokens,
            "ids": tokenizer.convert_tokens_to_ids(tokens),
            "length": len(tokenizer),
            "texts": [{"text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]} for text in texts],
        },
    )
    print(f"added tokens, tokenizer: {before} tokens, {added} added, {len(tokenizer)} now")


def make(base) -> None:
    make_tokenizer(base)
    for index, name in enumerate(TOKENS):
        shutil.rmtree(FOLDER / name / "adapter", ignore_errors=True)
        make_one(name, 600 + 10 * index)
