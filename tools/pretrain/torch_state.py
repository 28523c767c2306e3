"""Checkpoints as checkpoint.ts describes them, in and out of a PyTorch run."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from torch_model import others_of

VERSION = "1"


def steps_in(work: Path) -> list[int]:
    """Steps of the folder's checkpoints, rising."""
    return sorted(int(match[1]) for path in work.iterdir() if (match := re.fullmatch(r"checkpoint-(\d+)\.safetensors", path.name)))


def path_of(work: Path, step: int) -> Path:
    return work / f"checkpoint-{step}.safetensors"


@torch.no_grad()
def read_checkpoint(work: Path, model, muon, adam) -> tuple[int, int, dict[str, torch.Tensor] | None]:
    """Fills model and optimizers from the newest one; its step, the optimizers' steps, and the mean weights."""
    steps = steps_in(work)
    if not steps:
        raise SystemExit(f"{work} has no checkpoint to begin from.")
    with safe_open(path_of(work, steps[-1]), "pt") as file:
        notes = file.metadata()
        if notes.get("ductus_pretraining") != VERSION or notes.get("step") != str(steps[-1]):
            raise SystemExit(f"The notes of {path_of(work, steps[-1])} do not fit.")
        optimizer_steps = int(notes["optimizer_steps"])
        weights = dict(model.named_parameters())
        for name, weight in weights.items():
            weight.copy_(file.get_tensor(name))
        for name, momentum in muon.momenta.items():
            momentum.copy_(file.get_tensor(f"muon.{name}"))
        for name, weight in others_of(model).items():
            moments = {part: file.get_tensor(f"adam.{name}.{part}").to(weight.device) for part in ("exp_avg", "exp_avg_sq")}
            adam.state[weight] = {"step": torch.tensor(float(optimizer_steps)), **moments}
        averaged = any(name.startswith("average.") for name in file.keys())
        average = {name: file.get_tensor(f"average.{name}").to(weight.device) for name, weight in weights.items()} if averaged else None
    return steps[-1], optimizer_steps, average


def write_checkpoint(work: Path, step: int, optimizer_steps: int, model, muon, adam, average, phase_ends: set[int]) -> None:
    """Under its name only when it is whole and on the disk. Older ones go, but for the last two and those at the end of a phase."""
    tensors = {name: weight.detach() for name, weight in model.named_parameters()}
    tensors |= {f"muon.{name}": momentum for name, momentum in muon.momenta.items()}
    for name, weight in others_of(model).items():
        for part in ("exp_avg", "exp_avg_sq"):
            tensors[f"adam.{name}.{part}"] = adam.state[weight][part]
    tensors |= {f"average.{name}": mean for name, mean in (average or {}).items()}
    notes = {"ductus_pretraining": VERSION, "step": str(step), "optimizer_steps": str(optimizer_steps)}
    part = path_of(work, step).with_suffix(".part")
    save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, part, metadata=notes)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path_of(work, step))
    for old in steps_in(work)[:-2]:
        if old not in phase_ends:
            path_of(work, old).unlink()
