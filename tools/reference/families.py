"""More tiny checkpoints, made and checked as those of tiny.py: Llama 3 with
scaled rotary positions (tied), Qwen2 untied as the distillations are, and Qwen3
tied with a head size of its own and biases, stored as bf16 in several files.
And rotary frequencies as transformers computes them in float32.
"""

from __future__ import annotations

import json
import math
import shutil

import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, Qwen3Config
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from common import DATA, generator, load_base, write_json, write_tensors
from tiny import ALL_PROJECTIONS, evaluate, make_batch, make_one, random_parameter

VOCAB, HIDDEN, LAYERS, INTERMEDIATE = 64, 24, 2, 32
# Positions up to 26 are used. Of the four wavelengths (6.3, 20, 63, 199) one is kept, one smoothed, two stretched.
SCALING = {
    "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
SHARED = {
    "attention_dropout": 0.0,
    "bos_token_id": 62,
    "eos_token_id": 63,
    "hidden_act": "silu",
    "hidden_size": HIDDEN,
    "initializer_range": 0.02,
    "intermediate_size": INTERMEDIATE,
    "max_position_embeddings": 128,
    "num_attention_heads": 3,
    "num_hidden_layers": LAYERS,
    "num_key_value_heads": 1,
    "torch_dtype": "float32",
    "use_cache": True,
    "vocab_size": VOCAB,
}
# Both as the hub's files are.
CONFIGS = {
    "llama3-tied": SHARED
    | {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "mlp_bias": False, "model_type": "llama",
        "pretraining_tp": 1, "rms_norm_eps": 1e-03, "rope_scaling": SCALING, "rope_theta": 100.0,
        "tie_word_embeddings": True, "transformers_version": "4.45.0.dev0",
    },
    "qwen2-untied": SHARED
    | {
        "architectures": ["Qwen2ForCausalLM"], "max_window_layers": 21, "model_type": "qwen2", "rms_norm_eps": 1e-06,
        "rope_theta": 5000, "sliding_window": 4096, "tie_word_embeddings": False, "transformers_version": "4.44.0",
        "use_mrope": False, "use_sliding_window": False,
    },
}
SEEDS = {"llama3-tied": 300, "qwen2-untied": 400, "qwen3-tied": 500}


def qwen3_config() -> Qwen3Config:
    """2 x 16 is not hidden, and as many key heads as query heads."""
    return Qwen3Config(
        vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=INTERMEDIATE, num_hidden_layers=LAYERS,
        num_attention_heads=2, num_key_value_heads=2, head_dim=16, max_position_embeddings=128, attention_bias=True,
        tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 50000.0},
        bos_token_id=None, eos_token_id=63, pad_token_id=0,
    )


def make_checkpoint(name: str):
    folder = DATA / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if name in CONFIGS:
        (folder / "config.json").write_text(json.dumps(CONFIGS[name], indent=2, sort_keys=True) + "\n", newline="\n")
        config = AutoConfig.from_pretrained(folder)
    else:
        config = qwen3_config()
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    g = generator(SEEDS[name])
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            parameter.copy_(random_parameter(parameter_name, parameter.shape, g))
    if name in CONFIGS:
        write_tensors(folder / "model.safetensors", dict(model.named_parameters()))
        return folder
    model.bfloat16().save_pretrained(folder, max_shard_size="11KB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    shards = sorted(folder.glob("model-*-of-*.safetensors"))
    assert 2 <= len(shards) <= 4 and (folder / "model.safetensors.index.json").exists()
    for file in shards:
        file.chmod(0o644)
    print(f"{name}: {len(shards)} files of {', '.join(str(f.stat().st_size) for f in shards)} bytes")
    return folder


@torch.no_grad()
def check_scaling(folder):
    """The loss without Llama's scaling, and with another factor; every kind of wavelength occurs."""
    _, *batch = make_batch(SEEDS["llama3-tied"], VOCAB)
    loss = evaluate(load_base(folder), *batch, False)[1]
    for label, rope in {
        "no scaling": {"rope_type": "default", "rope_theta": 100.0},
        "factor 5": SCALING | {"rope_theta": 100.0, "factor": 5.0},
        "low_freq_factor 2": SCALING | {"rope_theta": 100.0, "low_freq_factor": 2.0},
        "high_freq_factor 3": SCALING | {"rope_theta": 100.0, "high_freq_factor": 3.0},
        "another original length": SCALING | {"rope_theta": 100.0, "original_max_position_embeddings": 40},
    }.items():
        config = AutoConfig.from_pretrained(folder)
        config.rope_parameters = rope
        other = AutoModelForCausalLM.from_pretrained(folder, config=config, attn_implementation="eager").eval()
        moved = abs(evaluate(other, *batch, False)[1] - loss)
        print(f"  llama3-tied: with {label} the loss moves by {moved:.2g}")
        assert moved > 1e-3


def make_frequencies():
    """Llama 3.1 8B's and 3.2 1B's, an odd case, and Qwen2.5's, in float32."""
    llama = SCALING | {"original_max_position_embeddings": 8192}
    cases = []
    for name, head_dim, rope in [
        ("Llama 3.1 8B", 128, llama | {"factor": 8.0, "rope_theta": 500000.0}),
        ("Llama 3.2 1B", 64, llama | {"factor": 32.0, "rope_theta": 500000.0}),
        ("odd numbers", 20, SCALING | {"factor": 2.7, "low_freq_factor": 0.9, "high_freq_factor": 3.3, "rope_theta": 123.0}),
        ("Qwen2.5", 64, {"rope_type": "default", "rope_theta": 1000000.0}),
    ]:
        config = LlamaConfig(
            hidden_size=head_dim, num_attention_heads=1, head_dim=head_dim, max_position_embeddings=131072, rope_parameters=rope
        )
        if rope["rope_type"] == "llama3":
            frequencies, _ = ROPE_INIT_FUNCTIONS["llama3"](config)
            plain = 1 / rope["rope_theta"] ** (torch.arange(0, head_dim, 2) / head_dim)
            kept, length = int((frequencies == plain).sum()), rope["original_max_position_embeddings"]
            stretched = int((2 * math.pi / plain > length / rope["low_freq_factor"]).sum())
            print(f"  {name}: {kept} frequencies kept, {stretched} stretched, {len(plain) - kept - stretched} between")
            assert kept and stretched and len(plain) - kept - stretched > 0
        else:
            # transformers' own, from the embedding's module
            from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

            frequencies, _ = LlamaRotaryEmbedding.compute_default_rope_parameters(config)
        assert frequencies.dtype == torch.float32
        cases.append({"name": name, "head_dim": head_dim, "rope_parameters": rope, "frequencies": frequencies.double()})
    write_json(DATA / "rope.json", {"cases": cases})


def make():
    for name, seed in SEEDS.items():
        folder = make_checkpoint(name)
        make_one(name, folder, seed, VOCAB, {"adapter": (4, 8, ALL_PROJECTIONS)}, full=False)
        if name == "llama3-tied":
            check_scaling(folder)
    make_frequencies()
