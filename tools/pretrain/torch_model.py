"""The recipe's model as transformers has it, with attention of our own for processors, and which of its tensors each
optimizer trains."""

from __future__ import annotations

import math

import torch
from transformers import AttentionInterface, Qwen3Config, Qwen3ForCausalLM


BLOCKS = 2  # of queries: the first half needs not be held against the keys that come after it; four are no quicker


def written_out(module, q, k, v, mask, scaling, **_):
    """Causal attention as plain products: in bfloat16 on a processor quicker than torch's fused one, whose gradient is
    slow. Query heads that share a key head are rows of one product. q [batch, heads, seq, dim] -> [batch, seq, heads, dim]"""
    batch, heads, seq, dim = q.shape
    groups = heads // k.shape[1]
    q = (q * scaling).view(batch, k.shape[1], groups, seq, dim)
    size, mixed = math.ceil(seq / BLOCKS), []
    for first in range(0, seq, size):
        end = min(first + size, seq)
        rows = groups * (end - first)
        scores = q[:, :, :, first:end].reshape(batch, k.shape[1], rows, dim) @ k[:, :, :end].mT  # [batch, key heads, rows, end]
        future = torch.full((end - first, end), -1e9, dtype=torch.float32, device=q.device).triu(first + 1)
        shares = torch.softmax(scores.view(batch, heads, end - first, end).float() + future, -1).to(v.dtype)
        mixed.append((shares.view(batch, k.shape[1], rows, end) @ v[:, :, :end]).view(batch, heads, end - first, dim))
    return torch.cat(mixed, 2).transpose(1, 2).contiguous(), None


AttentionInterface.register("written_out", written_out)


def build(shape: dict, attention: str = "sdpa") -> Qwen3ForCausalLM:
    """Its weights are to be read from a checkpoint."""
    config = Qwen3Config(
        vocab_size=shape["vocabSize"], hidden_size=shape["hiddenSize"], num_hidden_layers=shape["layers"],
        intermediate_size=shape["intermediateSize"], num_attention_heads=shape["heads"], num_key_value_heads=shape["kvHeads"],
        head_dim=shape["headDim"], max_position_embeddings=shape["maxPositions"], rms_norm_eps=shape["rmsNormEps"], attention_bias=False,
        rope_parameters={"rope_type": "default", "rope_theta": float(shape["ropeTheta"])}, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=0, use_cache=False,
        pad_token_id=None,  # the row of a padding token would get no gradient where it is read, and token 0 is read
    )
    return Qwen3ForCausalLM._from_config(config, attn_implementation=attention).float()


def is_block_matrix(name: str) -> bool:
    return name.endswith("_proj.weight")


def matrices_of(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if is_block_matrix(name)}


def others_of(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if not is_block_matrix(name)}
