"""torch AdamW on a small vector with given gradients, bitsandbytes' AdamW8bit on a
tensor of several blocks, learning-rate schedules, and gradient clipping: plain
numbers for unit tests. Computed in float64.
"""

from __future__ import annotations

import math
import os
import shutil

os.environ["TORCHDYNAMO_DISABLE"] = "1"  # bitsandbytes' functions as they are written

import torch
from bitsandbytes.backends.triton.kernels_optim import optimizer_update_8bit_blockwise_pytorch
from bitsandbytes.functional import create_dynamic_map
from transformers import get_scheduler

from common import _Float64, DATA, generator, write_json

FOLDER = DATA / "operators"


def adamw_case(name: str, weight_decay: float, rates: list[float], betas, eps: float) -> dict:
    g = generator(3)
    start = torch.randn(8, generator=g) * 2
    gradients = torch.randn(10, 8, generator=g)
    # Never a gradient; tiny against epsilon; huge; one that falls silent after the third step.
    gradients[:, 0] = 0
    gradients[:, 1] *= 1e-8
    gradients[:, 2] *= 1e4
    gradients[3:, 3] = 0
    parameter = torch.nn.Parameter(start.double())
    optimizer = torch.optim.AdamW([parameter], lr=1.0, betas=betas, eps=eps, weight_decay=weight_decay)
    steps = []
    for rate, gradient in zip(rates, gradients, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = gradient.double()
        optimizer.step()
        state = optimizer.state[parameter]
        steps.append(
            {
                "learning_rate": rate,
                "gradient": gradient.double(),
                "parameter": parameter.detach().clone(),
                "exp_avg": state["exp_avg"].clone(),
                "exp_avg_sq": state["exp_avg_sq"].clone(),
            }
        )
    return {
        "name": name, "beta1": betas[0], "beta2": betas[1], "eps": eps, "weight_decay": weight_decay,
        "start": start.double(), "steps": steps,
    }


def drawn(step: int, count: int) -> torch.Tensor:
    """Numbers that the test draws again instead of reading them: exact in float32, over six orders of magnitude."""
    values = []
    for i in range(count):
        h = (i * 2654435761 + step * 2246822519 + 374761393) & 0xFFFFFFFF
        h = ((h ^ (h >> 15)) * 2246822519) & 0xFFFFFFFF
        h = ((h ^ (h >> 13)) * 3266489917) & 0xFFFFFFFF
        values.append(((h >> 12) / 2**19 - 1) / 2 ** (2 * (i % 11)))
    return torch.tensor(values, dtype=torch.float64)


def adamw8bit_case(name: str, count: int, weight_decay: float, rate: float, betas, eps: float) -> dict:
    """Fifty steps by bitsandbytes' own code, whose float32 is turned into float64; every seventh number is kept."""
    parameter, blocks = drawn(0, count), -(-count // 256)
    maps = [create_dynamic_map(signed=True).double(), create_dynamic_map(signed=False).double()]
    codes = [torch.full((count,), int((m == 0).nonzero()[0]), dtype=torch.uint8) for m in maps]
    largest = [torch.zeros(blocks, dtype=torch.float64) for _ in maps]
    with _Float64():
        for step in range(1, 51):
            # The second half of the steps lets every third number fall silent.
            gradient = drawn(step, count) * torch.where((torch.arange(count) % 3 == 0) & torch.tensor(step > 25), 0.0, 1.0)
            optimizer_update_8bit_blockwise_pytorch(
                parameter, gradient, codes[0], codes[1], betas[0], betas[1], 0.0, 0.0, eps, step, rate * step / 50,
                maps[0], maps[1], largest[0], largest[1], weight_decay, 1.0, False, optimizer_name="adam",
            )
    assert parameter.dtype == largest[0].dtype == torch.float64
    return {
        "name": name, "count": count, "beta1": betas[0], "beta2": betas[1], "eps": eps, "weight_decay": weight_decay,
        "learning_rate": rate, "parameter": parameter[::7], "absmax1": largest[0], "absmax2": largest[1],
    }


def schedule_case(steps: int, ratio: float, kind: str = "linear") -> dict:
    """TrainingArguments turns a ratio into steps by rounding up."""
    warmup = math.ceil(steps * ratio)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = get_scheduler(kind, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
    factors = []
    for _ in range(steps + 2):
        factors.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return {"type": kind, "steps": steps, "warmup_ratio": ratio, "warmup_steps": warmup, "factors": factors}


def clip_case(scale: float, largest: float) -> dict:
    g = generator(9)
    tensors = [torch.randn(shape, generator=g) * scale for shape in ((2, 3), (4,), (1, 5))]
    parameters = [torch.nn.Parameter(torch.zeros_like(t).double()) for t in tensors]
    for parameter, tensor in zip(parameters, tensors, strict=True):
        parameter.grad = tensor.double().clone()
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, largest))
    return {
        "max_norm": largest,
        "gradients": [t.double().flatten() for t in tensors],
        "norm": norm,
        "clipped": [p.grad.flatten() for p in parameters],
    }


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    rising = [0.0, 0.01, 0.02, 0.03, 0.025, 0.02, 0.015, 0.01, 0.005, 0.0]
    write_json(
        FOLDER / "adamw.json",
        [
            adamw_case("no decay", 0.0, [0.01] * 10, (0.9, 0.999), 1e-8),
            adamw_case("decay, changing rate", 0.1, rising, (0.9, 0.999), 1e-8),
            adamw_case("other betas", 0.01, [0.05] * 10, (0.8, 0.95), 1e-6),
        ],
    )
    write_json(
        FOLDER / "schedule.json",
        [schedule_case(20, 0.15), schedule_case(20, 0.0), schedule_case(7, 0.03), schedule_case(50, 0.1), schedule_case(1, 0.03)]
        + [schedule_case(20, 0.15, "cosine"), schedule_case(13, 0.0, "cosine"), schedule_case(1, 0.03, "cosine")]
        + [schedule_case(9, 0.3, "constant"), schedule_case(9, 0.3, "constant_with_warmup")],
    )
    write_json(
        FOLDER / "adamw8bit.json",
        [
            adamw8bit_case("no decay", 4_200, 0.0, 1e-2, (0.9, 0.999), 1e-8),
            adamw8bit_case("decay, other betas", 4_096, 0.1, 2e-3, (0.8, 0.95), 1e-6),
        ],
    )
    write_json(FOLDER / "clip.json", [clip_case(1.0, 1.0), clip_case(0.05, 1.0), clip_case(100.0, 0.5)])
    print(f"operators: {len(list(FOLDER.iterdir()))} files")
