"""The training engine on PyTorch: the same run as train.ts, from the same files.

    python train.py WORK [--until STEP] [--threads N] [--precision auto|f32|bf16] [--plain]

Goes on from the newest checkpoint of the work folder, which has at least the first one (checkpoint.ts writes it), and
stops after a checkpoint: at the end, after --until steps of the whole run, or at SIGTERM or SIGINT. A line of log.jsonl
is printed too. The files are described in recipe.ts, order.ts and checkpoint.ts.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Threads that spin while they wait for one another take the cores from it: beside other work, several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from torch.nn.functional import cross_entropy, linear

from torch_model import build, matrices_of, others_of
from torch_muon import Muon
from torch_state import read_checkpoint, write_checkpoint

PHASES = ("stable", "decay", "long")
FROM_FORMS = 0x80000000


def phase_end(recipe: dict, phase: str) -> int:
    return sum(recipe[name]["steps"] for name in PHASES[: PHASES.index(phase) + 1])


def phase_at(recipe: dict, step: int) -> str:
    return next((phase for phase in PHASES if step < phase_end(recipe, phase)), "long")


def rate_factor(recipe: dict, step: int) -> float:
    stable, decay, long = (recipe[name] for name in PHASES)
    if step < stable["steps"]:
        return min(1.0, (step + 1) / max(1, stable["warmupSteps"]))
    done = min(1.0, (step - stable["steps"]) / (decay["steps"] + long["steps"]))
    return {"linear": 1 - done, "sqrt": 1 - math.sqrt(done), "cosine": 0.5 * (1 + math.cos(math.pi * done))}[decay["shape"]]


def momentum_at(recipe: dict, step: int) -> float:
    momentum, warmup = recipe["muon"]["momentum"], recipe["muon"]["momentumWarmup"]
    return momentum if warmup is None else warmup["from"] + (momentum - warmup["from"]) * min(1.0, step / warmup["steps"])


class Data:
    """Sequences in the order of the order files, and the held-out windows; each [sequences, T + 1]."""

    def __init__(self, work: Path, recipe: dict):
        self.recipe, self.work = recipe, work
        self.train, self.held = (np.fromfile(work / f"{name}.bin", np.uint16) for name in ("train", "held"))
        self.forms = np.fromfile(work / "forms_train.bin", np.uint16) if (work / "forms_train.bin").exists() else None
        self.orders = {}
        documents = json.loads((work / "held.docs.json").read_text(encoding="utf-8"))
        self.bytes_per_token = sum(document["bytes"] for document in documents) / len(self.held)

    def micro_batches(self, step: int) -> list[torch.Tensor]:
        phase = phase_at(self.recipe, step)
        part = self.recipe["long"] if phase == "long" else self.recipe
        length = part["sequenceLength"]
        sequences = self.recipe["tokensPerStep"] // length
        if phase not in self.orders:
            self.orders[phase] = np.fromfile(self.work / f"order-{phase}.bin", np.uint32).reshape(self.recipe[phase]["steps"], sequences)
        row = self.orders[phase][step - phase_end(self.recipe, phase) + self.recipe[phase]["steps"]]
        taken = []
        for entry in row.tolist():
            source, number = (self.forms, entry - FROM_FORMS) if entry >= FROM_FORMS else (self.train, entry)
            taken.append(source[number * length : number * length + length + 1])
        return grouped(taken, part["microBatch"])

    def held_out(self) -> list[torch.Tensor]:
        length, windows = self.recipe["sequenceLength"], self.recipe["evaluateWindows"]
        begins = [i * (len(self.held) - length - 1) // (windows - 1) for i in range(windows)]
        return grouped([self.held[begin : begin + length + 1] for begin in begins], self.recipe["microBatch"])


def grouped(sequences: list[np.ndarray], size: int) -> list[torch.Tensor]:
    return [torch.from_numpy(np.stack(sequences[i : i + size]).astype(np.int64)) for i in range(0, len(sequences), size)]


class Training:
    def __init__(self, work: Path, recipe: dict, precision: str, plain: bool):
        self.work, self.recipe = work, recipe
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        halves = precision == "bf16" or (precision == "auto" and (self.device == "cuda" or torch.cpu._is_amx_tile_supported()))
        self.type = torch.bfloat16 if halves else torch.float32
        self.model = build(recipe["model"], "written_out" if halves and self.device == "cpu" else "sdpa").to(self.device)
        adam = recipe["adam"]
        self.muon = Muon(matrices_of(self.model), recipe["muon"]["weightDecay"], recipe["muon"]["nsSteps"], self.type)
        self.adam = torch.optim.AdamW(others_of(self.model).values(), lr=adam["lr"], betas=(adam["beta1"], adam["beta2"]), eps=adam["eps"], weight_decay=adam["weightDecay"])
        self.step, self.optimizer_steps, self.average = read_checkpoint(work, self.model, self.muon, self.adam)
        self.average = self.average if recipe["average"] else None
        if not plain:
            torch._dynamo.config.automatic_dynamic_shapes = False
        self.losses = self.losses_of if plain else torch.compile(self.losses_of)

    def losses_of(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The sum of nll over the tokens of a batch [sequences, T + 1], and of logsumexp²."""
        vocab = self.recipe["model"]["vocabSize"]
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.type == torch.bfloat16):
            hidden = self.model.model(batch[:, :-1]).last_hidden_state  # [sequences, T, hidden]
            logits = linear(hidden, self.model.lm_head.weight)  # [sequences, T, vocab]
        logits = logits.view(-1, vocab).float()
        nll = cross_entropy(logits, batch[:, 1:].reshape(-1), reduction="sum")
        return nll, logits.logsumexp(-1).square().sum() if self.recipe["zLoss"] > 0 else nll.new_zeros(())

    def train(self, micro_batches: list[torch.Tensor]) -> tuple[float, float]:
        """One update; the mean loss before it, and the norm of its gradients before clipping."""
        recipe, total = self.recipe, 0.0
        self.model.zero_grad()
        for batch in micro_batches:
            nll, squares = self.losses(batch.to(self.device))
            ((nll + recipe["zLoss"] * squares) / recipe["tokensPerStep"]).backward()
            total += nll.item()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe["clip"]).item()
        factor = rate_factor(recipe, self.step)
        self.muon.step(recipe["muon"]["lr"] * factor, momentum_at(recipe, self.step))
        for group in self.adam.param_groups:
            group["lr"] = recipe["adam"]["lr"] * factor
        self.adam.step()
        if self.average is not None:
            for name, weight in self.model.named_parameters():
                self.average[name].lerp_(weight.detach(), 1 - recipe["average"]["decay"])
        self.step += 1
        self.optimizer_steps += 1
        return total / recipe["tokensPerStep"], norm

    @torch.no_grad()
    def held_out_bits(self, data: Data) -> float:
        batches = data.held_out()
        nats = sum(self.losses(batch.to(self.device))[0].item() for batch in batches)
        return nats / sum(batch[:, 1:].numel() for batch in batches) / math.log(2) / data.bytes_per_token

    @torch.no_grad()
    def averaged_bits(self, data: Data) -> float:
        """The same of the mean weights, which take the place of the weights meanwhile."""
        own = {name: weight.detach().clone() for name, weight in self.model.named_parameters()}
        try:
            self.place(self.average)
            return self.held_out_bits(data)
        finally:
            self.place(own)

    @torch.no_grad()
    def place(self, weights: dict[str, torch.Tensor]) -> None:
        for name, weight in self.model.named_parameters():
            weight.copy_(weights[name])

    def save(self) -> None:
        ends = {phase_end(self.recipe, phase) for phase in PHASES}
        write_checkpoint(self.work, self.step, self.optimizer_steps, self.model, self.muon, self.adam, self.average, ends)


def cut_log(path: Path, step: int) -> None:
    """Steps after the checkpoint are done again: their lines go, and one that a cut left unfinished."""
    kept = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except ValueError:
            pass
    path.write_text("".join(kept))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--until", type=int, default=sys.maxsize, help="stop after so many steps of the whole run")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--precision", choices=["auto", "f32", "bf16"], default="auto", help="of products; auto: bf16 where the hardware has them")
    parser.add_argument("--plain", action="store_true", help="without torch.compile, which takes half a minute to begin")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    stopping = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.append(True))

    recipe = json.loads((arguments.work / "recipe.json").read_text(encoding="utf-8"))
    data = Data(arguments.work, recipe)
    training = Training(arguments.work, recipe, arguments.precision, arguments.plain)
    print(f"PyTorch {torch.__version__} on {training.device}, {torch.get_num_threads()} threads, {training.type}", file=sys.stderr)
    log = arguments.work / "log.jsonl"
    cut_log(log, training.step)
    end = min(arguments.until, phase_end(recipe, "long"))
    while training.step < end and not stopping:
        step, phase, began = training.step, phase_at(recipe, training.step), time.monotonic()
        loss, norm = training.train(data.micro_batches(step))
        line = {
            "step": step + 1, "phase": phase, "loss": loss, "lr": recipe["muon"]["lr"] * rate_factor(recipe, step), "gradientNorm": norm,
            "tokens": (step + 1) * recipe["tokensPerStep"], "seconds": round(time.monotonic() - began, 3),
        }
        phase_ends = training.step == phase_end(recipe, phase)
        if phase_ends or training.step % recipe["evaluateSteps"] == 0:
            line["heldOutBits"] = training.held_out_bits(data)
            if training.average is not None:
                line["heldOutBitsAverage"] = training.averaged_bits(data)
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        if phase_ends or training.step % recipe["checkpointSteps"] == 0 or training.step == end or stopping:
            training.save()


if __name__ == "__main__":
    main()
