"""What the reference scripts share: seeded numbers, true float64 evaluation of
Hugging Face models, and writing files that come out byte-identical each time.

Hugging Face's Qwen code casts to float32 inside (RMSNorm, softmax, RoPE, loss),
so `model.double()` alone is not a float64 reference; `in_float64` is.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from safetensors.torch import save_file
from torch.overrides import TorchFunctionMode
from transformers import AutoModelForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.utils import logging as hf_logging

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
IGNORE = -100

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
hf_logging.set_verbosity_error()
hf_logging.disable_progress_bar()


class _Float64(TorchFunctionMode):
    """Every request for float32 becomes one for float64."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        double = lambda value: torch.float64 if value is torch.float32 else value
        return func(*map(double, args), **{key: double(value) for key, value in kwargs.items()})


@contextmanager
def in_float64(model):
    """Turns the model into float64 for good and runs the body without float32 casts."""
    model.double()
    with _Float64():
        for module in model.modules():
            if hasattr(module, "inv_freq"):
                kind = module.config.rope_parameters["rope_type"]
                parameters = module.compute_default_rope_parameters if kind == "default" else ROPE_INIT_FUNCTIONS[kind]
                exact, _ = parameters(module.config)
                assert exact.dtype == torch.float64
                module.inv_freq = exact
        yield model


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def load_base(folder: Path, dtype=torch.float32):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager")
    return model.eval()


def pad_right(rows: list[list[int]], prompt_lengths: list[int], pad_id: int = 0):
    """ids, attention mask and labels (prompt and padding -100), each [batch, longest]."""
    longest = max(map(len, rows))
    ids, mask, labels = [], [], []
    for row, prompt in zip(rows, prompt_lengths, strict=True):
        gap = longest - len(row)
        ids.append(row + [pad_id] * gap)
        mask.append([1] * len(row) + [0] * gap)
        labels.append([IGNORE] * prompt + row[prompt:] + [IGNORE] * gap)
    return torch.tensor(ids), torch.tensor(mask), torch.tensor(labels)


def summed_nll(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over labelled positions; the logits at t are scored against the label at t + 1."""
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORE, reduction="sum"
    )


def relative_l2(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.double() - b.double()).norm() / b.double().norm())


def digits(value, places: int = 9):
    """Floats rounded to that many significant digits, through lists and dicts."""
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    if isinstance(value, float):
        return float(f"{value:.{places}g}")
    if isinstance(value, dict):
        return {key: digits(item, places) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [digits(item, places) for item in value]
    return value


def write_json(path: Path, value) -> None:
    """ASCII only, so that no editor or checkout can change what a string holds. Lists of numbers stay on a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_json(digits(value), "") + "\n", encoding="ascii", newline="\n")


def _json(value, indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        items = [f"{json.dumps(key)}: {_json(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner + item for item in items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return "[\n" + ",\n".join(inner + _json(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value)


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """float64 is rounded to float32 here and nowhere earlier."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            name: (tensor.detach().float() if tensor.is_floating_point() else tensor).contiguous().clone()
            for name, tensor in sorted(tensors.items())
        },
        path,
        metadata={"format": "pt"},
    )
    path.chmod(0o644)


def save_adapter(peft_model, folder: Path, base_name: str) -> None:
    """PEFT's own folder, less its model card; the target list is sorted, as PEFT keeps it in a set."""
    for config in peft_model.peft_config.values():
        config.base_model_name_or_path = base_name
    peft_model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "adapter_model.safetensors").chmod(0o644)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", newline="\n")


def adapter_name(parameter: str) -> str:
    """The name PEFT gives a parameter in adapter_model.safetensors."""
    return parameter.replace(".default.weight", ".weight")
