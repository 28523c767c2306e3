"""Pretraining, for comparison with ours, in float64: Muon's updates of small matrices, and the gradient of a whole
step's loss with z-loss. `pretraining.ts` calls it: python pretraining.py WORK INTO
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy, linear

from common import generator, in_float64, relative_l2, write_json, write_tensors

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pretrain"))
from torch_model import build  # noqa: E402
from train import Data  # noqa: E402

A, B, C = 3.4445, -4.7750, 2.0315


def orthogonalised(x: torch.Tensor, steps: int) -> torch.Tensor:
    """torch.optim.Muon's iteration as its documentation has it, without its bfloat16."""
    y = x / x.norm().clamp(min=1e-7)
    y = y.T if len(x) > len(x[0]) else y
    for _ in range(steps):
        product = y @ y.T
        y = A * y + (B * product + C * product @ product) @ y
    return y.T if len(x) > len(x[0]) else y


def muon_case(shape: tuple[int, int], momentum: float, weight_decay: float, steps: int) -> dict:
    g = generator(17 + shape[0])
    start = torch.randn(shape, generator=g, dtype=torch.float64)
    parameter, buffer = start.clone(), torch.zeros_like(start)
    theirs = torch.nn.Parameter(start.clone())
    muon = torch.optim.Muon([theirs], lr=1.0, momentum=momentum, weight_decay=weight_decay, ns_steps=steps, adjust_lr_fn="match_rms_adamw")
    log = []
    for rate in (0.02, 0.05, 0.01):
        gradient = torch.randn(shape, generator=g, dtype=torch.float64) * 0.1
        buffer = momentum * buffer + (1 - momentum) * gradient
        update = orthogonalised(momentum * buffer + (1 - momentum) * gradient, steps)
        parameter = parameter * (1 - rate * weight_decay) - rate * 0.2 * math.sqrt(max(shape)) * update
        theirs.grad = gradient.clone()
        muon.param_groups[0]["lr"] = rate
        muon.step()
        log.append({"learning_rate": rate, "gradient": gradient.flatten(), "parameter": parameter.flatten()})
    # The rule is theirs: what is left is their bfloat16.
    assert relative_l2(theirs.detach() - start, parameter - start) < 2e-2
    assert torch.equal(muon.state[theirs]["momentum_buffer"].isclose(buffer), torch.ones_like(buffer, dtype=torch.bool))
    return {"shape": list(shape), "momentum": momentum, "weight_decay": weight_decay, "ns_steps": steps, "start": start.flatten(), "steps": log}


def gradients(work: Path) -> dict[str, torch.Tensor]:
    """Of the first step's mean of nll + zLoss · logsumexp², from the weights of checkpoint-0."""
    recipe = json.loads((work / "recipe.json").read_text())
    model = build(recipe["model"])
    weights = load_file(work / "checkpoint-0.safetensors")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(weights[name])
    with in_float64(model):
        for batch in Data(work, recipe).micro_batches(0):
            logits = linear(model.model(batch[:, :-1]).last_hidden_state, model.lm_head.weight).flatten(0, 1)
            nll = cross_entropy(logits, batch[:, 1:].flatten(), reduction="sum")
            ((nll + recipe["zLoss"] * logits.logsumexp(-1).square().sum()) / recipe["tokensPerStep"]).backward()
    return {name: weight.grad for name, weight in model.named_parameters()}


def main() -> None:
    work, into = map(Path, sys.argv[1:])
    write_json(into / "muon.json", [muon_case((6, 10), 0.95, 0.1, 5), muon_case((10, 6), 0.9, 0.0, 5), muon_case((7, 7), 0.95, 0.3, 3)])
    write_tensors(into / "gradients.safetensors", gradients(work))


if __name__ == "__main__":
    main()
