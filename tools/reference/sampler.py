"""Which tokens temperature and top-p keep, and with what probability, by
transformers' own logits processors. Computed in float64.
"""

from __future__ import annotations

import shutil

import torch
from transformers import TemperatureLogitsWarper, TopPLogitsWarper

from common import DATA, generator, write_json

FOLDER = DATA / "sampler"
VOCAB = 60
TEMPERATURES = [0.3, 0.7, 1.0, 1.7]
TOP_PS = [0.0, 0.05, 0.3, 0.8, 0.95, 0.999, 1.0]


def make_logits() -> list[torch.Tensor]:
    g = generator(17)
    flat = torch.randn(VOCAB, generator=g)
    peaked = torch.randn(VOCAB, generator=g) * 4
    # Two far above the rest, one of them the last token, and an offset that would overflow without a maximum taken off.
    two = torch.randn(VOCAB, generator=g) + 500
    two[7] += 9
    two[VOCAB - 1] += 8.5
    return [tensor.double() for tensor in (flat, peaked, two)]


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    cases = []
    for index, logits in enumerate(make_logits()):
        # Our logits are float32: what is compared must be the same numbers.
        logits = logits.float().double()
        for temperature in TEMPERATURES:
            for top_p in TOP_PS:
                scores = TemperatureLogitsWarper(temperature)(None, logits[None])
                scores = TopPLogitsWarper(top_p)(None, scores)
                probabilities = scores.softmax(-1)[0]
                kept = [i for i in range(VOCAB) if scores[0, i] > -torch.inf]
                # No near-tie at the edge of the nucleus, where rounding would decide.
                every = (logits / temperature).softmax(-1).sort(descending=True).values.cumsum(-1)
                assert float((every - top_p).abs().min()) > 1e-9 or top_p in (0.0, 1.0)
                cases.append(
                    {
                        "logits": index, "temperature": temperature, "top_p": top_p, "kept": kept,
                        "probabilities": [float(probabilities[i]) for i in kept],
                    }
                )
    sizes = {len(case["kept"]) for case in cases}
    assert min(sizes) == 1 and max(sizes) == VOCAB and len(sizes) > 10
    write_json(FOLDER / "kept.json", {"logits": [logits.float() for logits in make_logits()], "cases": cases})
    print(f"sampler: {len(cases)} cases, {len(sizes)} sizes of the nucleus")
