"""torch AdamW on a small vector with given gradients, the linear schedule with
warm-up, and gradient clipping: plain numbers for unit tests. Computed in float64.
"""

from __future__ import annotations

import math
import shutil

import torch
from transformers import get_linear_schedule_with_warmup

from common import DATA, generator, write_json

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


def schedule_case(steps: int, ratio: float) -> dict:
    """TrainingArguments turns a ratio into steps by rounding up."""
    warmup = math.ceil(steps * ratio)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, steps)
    factors = []
    for _ in range(steps + 2):
        factors.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return {"steps": steps, "warmup_ratio": ratio, "warmup_steps": warmup, "factors": factors}


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
        [schedule_case(20, 0.15), schedule_case(20, 0.0), schedule_case(7, 0.03), schedule_case(50, 0.1), schedule_case(1, 0.03)],
    )
    write_json(FOLDER / "clip.json", [clip_case(1.0, 1.0), clip_case(0.05, 1.0), clip_case(100.0, 0.5)])
    print(f"operators: {len(list(FOLDER.iterdir()))} files")
