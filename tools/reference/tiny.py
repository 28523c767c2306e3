"""The tiny checkpoints (Qwen2 tied, Qwen3 untied) and what torch and PEFT
compute with them: logits, loss, every gradient, greedy tokens.

Every parameter is random and far from its neutral value, norm gains of either
sign included; the script fails if neutralising any one of them moves the loss by
less than 1e-3, or if attention is near uniform.
"""

from __future__ import annotations

import copy
import json
import shutil

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, Qwen3Config

from common import (
    DATA, adapter_name, generator, in_float64, load_base, pad_right, relative_l2, save_adapter, summed_nll,
    write_json, write_tensors,
)

ALL_PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
MODELS = ["qwen2-tied", "qwen3-untied"]
VOCAB, HIDDEN, LAYERS = 96, 32, 2

# As the hub's older files are: rope_theta and torch_dtype at top level, no head_dim, no layer_types.
QWEN2_CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "attention_dropout": 0.0,
    "bos_token_id": 94,
    "eos_token_id": 95,
    "hidden_act": "silu",
    "hidden_size": HIDDEN,
    "initializer_range": 0.02,
    "intermediate_size": 48,
    "max_position_embeddings": 128,
    "max_window_layers": 2,
    "model_type": "qwen2",
    "num_attention_heads": 4,
    "num_hidden_layers": LAYERS,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "sliding_window": 128,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
    "transformers_version": "4.40.1",
    "use_cache": True,
    "use_sliding_window": False,
    "vocab_size": VOCAB,
}


def qwen3_config() -> Qwen3Config:
    """head_dim 12 (heads x head_dim = 48, not hidden) and an epsilon large enough to be seen in the logits."""
    return Qwen3Config(
        vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=48, num_hidden_layers=LAYERS,
        num_attention_heads=4, num_key_value_heads=2, head_dim=12, rms_norm_eps=1e-3, max_position_embeddings=128,
        tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 50000.0},
        bos_token_id=None, eos_token_id=95, pad_token_id=0,
    )


def random_parameter(name: str, shape: torch.Size, g: torch.Generator) -> torch.Tensor:
    normal = torch.randn(shape, generator=g)
    if name.endswith("norm.weight"):
        # Of either sign, 0.6 to 1.8 in size: nothing near 1 on average, nothing near 0.
        return torch.sign(normal) * (0.6 + 1.2 * torch.rand(shape, generator=g))
    if name.endswith(".bias"):
        return 0.7 * normal
    if "embed_tokens" in name:
        return 0.3 * normal
    if "lm_head" in name:
        return 0.3 * normal
    # Queries and keys are larger, so that attention is far from uniform.
    gain = 1.3 if ("q_proj" in name or "k_proj" in name) else 0.9
    return gain * normal / shape[-1] ** 0.5


def make_checkpoint(name: str):
    folder = DATA / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if name == "qwen2-tied":
        (folder / "config.json").write_text(json.dumps(QWEN2_CONFIG, indent=2) + "\n", newline="\n")
        config = AutoConfig.from_pretrained(folder)
        assert config.rope_parameters["rope_theta"] == 1e6
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    else:
        model = AutoModelForCausalLM.from_config(qwen3_config(), attn_implementation="eager")
    g = generator(20 if name == "qwen2-tied" else 31)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            parameter.copy_(random_parameter(parameter_name, parameter.shape, g))
    if name == "qwen3-untied":
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
    write_tensors(folder / "model.safetensors", dict(model.named_parameters()))
    return folder


def make_batch(seed: int, vocab: int = VOCAB):
    """Three rows of 11, 7 and 9 tokens, padded on the right; the second has one completion token."""
    g = generator(seed)
    lengths, prompts = [11, 7, 9], [4, 6, 1]
    rows = [torch.randint(1, vocab, (length,), generator=g).tolist() for length in lengths]
    ids, mask, labels = pad_right(rows, prompts)
    return {"lengths": lengths, "prompt_lengths": prompts, "rows": rows}, ids, mask, labels


def evaluate(model, ids, mask, labels, trainable):
    """Logits [batch, seq, vocab] (0 at padding), mean loss, gradients of the named parameters."""
    model.zero_grad()
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    count = int((labels[:, 1:] != -100).sum())
    loss = summed_nll(logits, labels) / count
    gradients = {}
    if trainable:
        loss.backward()
        gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}
    return logits.detach() * mask[..., None], float(loss.detach()), gradients


def both_precisions(model, batch, label: str):
    """The float64 results; prints how far torch's own float32 is from them."""
    logits32, loss32, gradients32 = evaluate(model, *batch, True)
    model64 = copy.deepcopy(model)
    with in_float64(model64):
        logits, loss, gradients = evaluate(model64, *batch, True)
        assert logits.dtype == torch.float64
        check_directional_derivative(model64, batch, gradients, label)
    worst = max(gradients, key=lambda n: relative_l2(gradients32[n], gradients[n]))
    print(
        f"  {label}: loss {loss:.6f}; torch f32 against f64: logits {(logits32 - logits).abs().max():.1e}, "
        f"loss {abs(loss32 / loss - 1):.1e}, worst gradient {relative_l2(gradients32[worst], gradients[worst]):.1e}"
    )
    return logits, loss, gradients


@torch.no_grad()
def check_directional_derivative(model, batch, gradients, label):
    """Central difference along a random direction: shows that the float64 path is float64 throughout."""
    g, step = generator(5), 1e-6
    parameters = {n: p for n, p in model.named_parameters() if n in gradients}
    directions = {n: torch.randn(p.shape, generator=g, dtype=torch.float64) for n, p in parameters.items()}
    values = []
    for sign in (1, -2, 1):
        for n, p in parameters.items():
            p.add_(directions[n], alpha=sign * step)
        values.append(evaluate(model, *batch, False)[1])
    finite = (values[0] - values[1]) / (2 * step)
    exact = float(sum((gradients[n] * directions[n]).sum() for n in gradients))
    assert abs(finite - exact) < 1e-7 * max(1, abs(exact)) + 2e-8, (label, finite, exact)


@torch.no_grad()
def check_every_parameter_matters(model, batch, label: str):
    """Neutral is 1 for a gain and 0 for the rest; neutralising one must move the loss by at least 1e-3."""
    loss = evaluate(model, *batch, False)[1]
    changes = {}
    for name, parameter in model.named_parameters():
        if "lora" in label and "lora" not in name:
            continue
        saved = parameter.clone()
        parameter.fill_(1.0 if name.endswith("norm.weight") else 0.0)
        changes[name] = abs(evaluate(model, *batch, False)[1] - loss)
        parameter.copy_(saved)
    least = min(changes, key=changes.get)
    print(f"  {label}: {len(changes)} tensors neutralised one by one; least change {changes[least]:.3g} ({least})")
    assert changes[least] >= 1e-3


@torch.no_grad()
def check_attention_and_config(model, folder, batch, label):
    """Mean largest attention weight against uniform, over queries that see at least four keys; settings that must be read."""
    ids, mask, labels = batch
    output = model(input_ids=ids, attention_mask=mask, output_attentions=True)
    largest, uniform = [], []
    for layer in output.attentions:
        for row, length in enumerate(mask.sum(1).tolist()):
            for query in range(3, length):
                largest.append(layer[row, :, query, : query + 1].max(-1).values.mean())
                uniform.append(1 / (query + 1))
    mean, flat = float(torch.stack(largest).mean()), sum(uniform) / len(uniform)
    print(f"  {label}: mean largest attention weight {mean:.2f} (uniform would be {flat:.2f})")
    assert mean > 2.5 * flat
    loss = evaluate(model, *batch, False)[1]
    for setting, change in {"rope_theta": 1e4, "rms_norm_eps": 1e-6}.items():
        config = AutoConfig.from_pretrained(folder)
        if setting == "rope_theta":
            config.rope_parameters["rope_theta"] = change
        elif config.rms_norm_eps == change:
            continue
        else:
            config.rms_norm_eps = change
        other = AutoModelForCausalLM.from_pretrained(folder, config=config, attn_implementation="eager").eval()
        moved = abs(evaluate(other, *batch, False)[1] - loss)
        print(f"  {label}: with {setting} {change:g} instead, the loss moves by {moved:.2g}")
        assert moved > 1e-3


def random_adapter(folder, seed: int, rank: int, alpha: int, targets: list[str]):
    base = load_base(folder)
    model = get_peft_model(
        base, LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM")
    ).eval()
    g = generator(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=g) * (0.25 if "lora_A" in name else 0.3))
    return model


@torch.no_grad()
def greedy(model, rows, steps: int):
    """Greedy tokens of one left-padded batch [batch, steps], and the smallest gap between first and second."""
    longest = max(map(len, rows))
    ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    margin = float("inf")
    for _ in range(steps):
        # What generate() does: positions count from the first real token.
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits[:, -1]
        top = logits.topk(2).values
        margin = min(margin, float((top[:, 0] - top[:, 1]).min()))
        ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], 1)
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
    return ids[:, longest:].tolist(), margin


ADAPTERS = {"adapter": (4, 8, ALL_PROJECTIONS), "adapter-qv": (3, 5, ["q_proj", "v_proj"])}


def make_one(name: str, folder, seed: int, vocab: int = VOCAB, adapters=ADAPTERS, full: bool = True):
    """Everything that is stored of a checkpoint; `full`: with the gradients of all its parameters too."""
    print(name)
    described, *batch = make_batch(seed, vocab)
    model = load_base(folder)
    check_every_parameter_matters(model, batch, name)
    check_attention_and_config(model, folder, batch, name)
    logits, loss, gradients = both_precisions(model, batch, name)
    if full:
        write_tensors(folder / "full_gradients.safetensors", gradients)

    results = {"base": logits}
    losses = {"base": loss}
    tokens = {}
    for index, (adapter, (rank, alpha, targets)) in enumerate(adapters.items()):
        label = f"{name} lora {adapter}"
        tuned = random_adapter(folder, seed + 1 + index, rank, alpha, targets)
        check_every_parameter_matters(tuned, batch, label)
        save_adapter(tuned, folder / adapter, name)
        reloaded = PeftModel.from_pretrained(load_base(folder), folder / adapter, is_trainable=True).eval()
        results[adapter], losses[adapter], lora_gradients = both_precisions(reloaded, batch, label)
        assert (results[adapter] - results["base"]).abs().max() > 0.1
        write_tensors(
            folder / f"{adapter}_gradients.safetensors", {adapter_name(n): t for n, t in lora_gradients.items()}
        )
        with in_float64(reloaded):
            tokens[adapter], margin = greedy(reloaded, described["rows"], 16)
            alone = [greedy(reloaded, [row], 16)[0][0] for row in described["rows"]]
        print(f"  {label}: smallest greedy margin {margin:.3g}; alone and in a batch the same: {alone == tokens[adapter]}")
        assert margin > 1e-3 and alone == tokens[adapter]
    with in_float64(model):
        tokens["base"], margin = greedy(model, described["rows"], 16)
    print(f"  {name}: smallest greedy margin {margin:.3g}")
    assert margin > 1e-3
    write_tensors(folder / "logits.safetensors", results)
    ids, mask, labels = batch
    write_json(
        folder / "batch.json",
        described
        | {
            "input_ids": ids.tolist(),
            "attention_mask": mask.tolist(),
            "labels": labels.tolist(),
            "completion_tokens": int((labels[:, 1:] != -100).sum()),
            "losses": losses,
            "greedy_tokens": tokens,
        },
    )


def make():
    for name in MODELS:
        make_one(name, make_checkpoint(name), 100 if name == "qwen2-tied" else 200)
