"""Which tokens the logits processors keep, and with what probability, by
transformers' own, in the order in which `generate` puts them. Computed in float64.
"""

from __future__ import annotations

import shutil

import torch
from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM, TemperatureLogitsWarper, TopPLogitsWarper

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

# Prompt and what has been written; one token stands in it twice.
WRITTEN = [3, 7, 11, 7, 20, 41]
BANNED = [[59], [41, 5], [20, 41, 9], [20, 8], [7, 20, 41, 12, 2]]
# logits, temperature, top_k, top_p, min_p, repetition_penalty, banned: each alone, in pairs, all at once, at their ends.
COMBINED = [
    (0, 1.0, 1, 1.0, None, 1.0, False), (0, 1.0, 5, 1.0, None, 1.0, False), (1, 0.7, 20, 1.0, None, 1.0, False),
    (2, 1.7, 59, 1.0, None, 1.0, False), (0, 1.3, 60, 1.0, None, 1.0, False), (0, 1.0, 400, 0.5, None, 1.0, False),
    (0, 1.0, 0, 1.0, 0.05, 1.0, False), (0, 1.7, 0, 1.0, 0.3, 1.0, False), (1, 1.0, 0, 1.0, 0.01, 1.0, False),
    (2, 1.7, 0, 1.0, 1.0, 1.0, False), (0, 0.7, 0, 1.0, 0.0, 1.0, False), (0, 0.5, 0, 0.9, 0.1, 1.0, False),
    (0, 1.0, 0, 1.0, None, 1.3, False), (1, 0.7, 0, 0.9, None, 1.1, False), (0, 1.0, 10, 1.0, None, 5.0, False),
    (1, 1.7, 8, 1.0, None, 0.6, False), (0, 1.0, 0, 0.95, None, 1.0, True), (1, 0.8, 12, 1.0, None, 1.2, True),
    (0, 1.0, 30, 0.6, None, 1.0, False), (0, 1.7, 12, 0.9, 0.2, 1.0, False), (1, 1.7, 30, 0.99, 0.02, 1.1, False),
    (0, 1.3, 25, 0.8, 0.25, 1.4, True), (1, 2.5, 40, 0.97, 0.01, 0.8, True), (2, 4.0, 50, 0.9999, 0.0001, 1.0, True),
]


def order_of_generate():
    """The model whose `generate` would use the processors; it is never run."""
    sizes = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1)
    return Qwen2ForCausalLM(Qwen2Config(vocab_size=VOCAB, **sizes))


def make_combined(every_logits: list[torch.Tensor]) -> list[dict]:
    model = order_of_generate()
    cases = []
    for index, temperature, top_k, top_p, min_p, penalty, banned in COMBINED:
        config = GenerationConfig(
            do_sample=True, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, repetition_penalty=penalty,
            bad_words_ids=BANNED if banned else None,
        )
        config._eos_token_tensor = None
        processors = model._get_logits_processor(config, input_ids_seq_length=len(WRITTEN))
        scores = every_logits[index].float().double()[None]
        for processor in processors:
            before = scores
            scores = processor(torch.tensor([WRITTEN]), scores)
            # Nothing is kept or dropped by a hair, where rounding would decide.
            if type(processor).__name__ == "TopPLogitsWarper":
                edges = before[0].softmax(-1).sort(descending=True).values.cumsum(-1)
                assert float((edges - top_p).abs().min()) > 1e-6
            if type(processor).__name__ == "MinPLogitsWarper" and 0 < min_p < 1:
                shares = before[0].softmax(-1)
                assert float((shares / shares.max() - min_p).abs().min()) > 1e-6
        kept = [i for i in range(VOCAB) if scores[0, i] > -torch.inf]
        probabilities = scores.softmax(-1)[0]
        cases.append(
            {
                "logits": index, "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p or 0.0,
                "repetition_penalty": penalty, "banned": banned, "kept": kept,
                "probabilities": [float(probabilities[i]) for i in kept],
            }
        )
    assert len({len(case["kept"]) for case in cases}) > 12
    return cases


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
    combined = make_combined(make_logits())
    write_json(FOLDER / "combined.json", {"written": WRITTEN, "banned": BANNED, "cases": combined})
    print(f"sampler: {len(combined)} combinations of processors")
