"""Muon with Nesterov momentum and the rates of "match_rms_adamw", as torch.optim.Muon, but for the number type of the
Newton-Schulz iteration, which is the caller's (torch's own is always bfloat16). Matrices of one shape go together."""

from __future__ import annotations

import math

import torch

A, B, C = 3.4445, -4.7750, 2.0315
LEAST_NORM = 1e-7


def newton_schulz(x: torch.Tensor, steps: int) -> torch.Tensor:
    """x [n, rows, columns], close to U V^T of each U S V^T."""
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=LEAST_NORM)
    for _ in range(steps):
        product = x @ x.mT  # [n, rows, rows]
        update = torch.baddbmm(product, product, product, beta=B, alpha=C)
        x = torch.baddbmm(x, update, x, beta=A)
    return x.mT if tall else x


class Muon:
    def __init__(self, matrices: dict[str, torch.nn.Parameter], weight_decay: float, steps: int, dtype: torch.dtype):
        self.matrices, self.weight_decay, self.steps, self.dtype = matrices, weight_decay, steps, dtype
        self.momenta = {name: torch.zeros_like(matrix) for name, matrix in matrices.items()}

    @torch.no_grad()
    def step(self, rate: float, momentum: float) -> None:
        by_shape: dict[torch.Size, list[str]] = {}
        for name, matrix in self.matrices.items():
            by_shape.setdefault(matrix.shape, []).append(name)
        for shape, names in by_shape.items():
            ahead = []
            for name in names:
                gradient = self.matrices[name].grad
                self.momenta[name].lerp_(gradient, 1 - momentum)
                ahead.append(gradient.lerp(self.momenta[name], momentum))
            updates = newton_schulz(torch.stack(ahead).to(self.dtype), self.steps).float()  # [n, rows, columns]
            scaled = rate * 0.2 * math.sqrt(max(shape))
            for name, update in zip(names, updates, strict=True):
                self.matrices[name].mul_(1 - rate * self.weight_decay).sub_(update, alpha=scaled)
