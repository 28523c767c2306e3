"""The recipe's model as transformers has it, and which of its tensors each optimizer trains."""

from __future__ import annotations

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM


def build(shape: dict) -> Qwen3ForCausalLM:
    """Its weights are to be read from a checkpoint."""
    config = Qwen3Config(
        vocab_size=shape["vocabSize"], hidden_size=shape["hiddenSize"], num_hidden_layers=shape["layers"],
        intermediate_size=shape["intermediateSize"], num_attention_heads=shape["heads"], num_key_value_heads=shape["kvHeads"],
        head_dim=shape["headDim"], max_position_embeddings=shape["maxPositions"], rms_norm_eps=shape["rmsNormEps"], attention_bias=False,
        rope_parameters={"rope_type": "default", "rope_theta": float(shape["ropeTheta"])}, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=0, use_cache=False,
        pad_token_id=None,  # the row of a padding token would get no gradient where it is read, and token 0 is read
    )
    return Qwen3ForCausalLM(config).float()


def is_block_matrix(name: str) -> bool:
    return name.endswith("_proj.weight")


def matrices_of(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if is_block_matrix(name)}


def others_of(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if not is_block_matrix(name)}
