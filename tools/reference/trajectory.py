"""Twenty SFT optimizer steps with PEFT LoRA and torch AdamW, written out as a
plain loop in float64; the same run with transformers' Trainer confirms the loop.

Each step accumulates two micro-batches of two examples of different lengths; the
loss of a step is the summed negative log-likelihood of all its completion tokens
over their number (the Trainer's num_items_in_batch).
"""

from __future__ import annotations

import copy
import shutil
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import PrinterCallback, Trainer, TrainingArguments, get_linear_schedule_with_warmup

from common import (
    DATA, adapter_name, generator, in_float64, load_base, pad_right, save_adapter, summed_nll, write_json,
    write_tensors,
)
from tiny import ALL_PROJECTIONS, MODELS, VOCAB

FOLDER = DATA / "sft-trajectory"
STEPS, ACCUMULATION, WARMUP = 20, 2, 3
DISTINCT = 10  # micro-batches; gone through in order, four times
SETTINGS = {
    "steps": STEPS,
    "gradient_accumulation_steps": ACCUMULATION,
    "warmup_steps": WARMUP,
    "learning_rate": 0.02,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "lora_r": 5,
    "lora_alpha": 2,
    "lora_dropout": 0.0,
    "target_modules": ALL_PROJECTIONS,
}


def make_data() -> list[dict]:
    """Counting sequences (each token the one before plus a step of 1 or 2), so that there is something to learn."""
    g = generator(7)
    draw = lambda low, high: int(torch.randint(low, high + 1, (1,), generator=g))
    batches = []
    for index in range(DISTINCT):
        rows, prompts = [], []
        for row in range(2):
            # Now and then a completion of a single token; otherwise 2 to 12.
            completion = 1 if (index + row) % 9 == 4 else draw(2, 12)
            prompt = draw(1, 6)
            start, stride = draw(1, VOCAB - 1), draw(1, 2)
            rows.append([(start + stride * i) % (VOCAB - 1) + 1 for i in range(prompt + completion)])
            prompts.append(prompt)
        batches.append({"rows": rows, "prompt_lengths": prompts})
    return batches * (STEPS * ACCUMULATION // DISTINCT)


def tensors_of(batch: dict):
    return pad_right(batch["rows"], batch["prompt_lengths"])


def run_loop(model, batches: list[dict]) -> dict:
    """The reference itself. Losses, rates and norms are those of the step about to be taken."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=SETTINGS["learning_rate"],
        betas=(SETTINGS["adam_beta1"], SETTINGS["adam_beta2"]),
        eps=SETTINGS["adam_epsilon"],
        weight_decay=SETTINGS["weight_decay"],
    )
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    log = {"loss": [], "learning_rate": [], "grad_norm": [], "completion_tokens": []}
    for step in range(STEPS):
        micro = [tensors_of(b) for b in batches[step * ACCUMULATION : (step + 1) * ACCUMULATION]]
        count = sum(int((labels[:, 1:] != -100).sum()) for _, _, labels in micro)
        total = 0.0
        for ids, mask, labels in micro:
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
            loss = summed_nll(logits, labels) / count
            loss.backward()
            total += float(loss.detach())
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, SETTINGS["max_grad_norm"]))
        log["loss"].append(total)
        log["learning_rate"].append(schedule.get_last_lr()[0])
        log["grad_norm"].append(norm)
        log["completion_tokens"].append(count)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return log


def run_trainer(model, batches: list[dict]) -> list[float]:
    """The same by transformers' Trainer, in float32; returns the loss of each step."""
    losses = [0.0] * STEPS
    dataset = []
    for batch in batches:
        ids, mask, labels = tensors_of(batch)
        dataset.append({"input_ids": ids, "attention_mask": mask, "labels": labels})

    class InOrder(Trainer):
        seen = 0

        def _get_train_sampler(self, *_):
            return torch.utils.data.SequentialSampler(dataset)

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            loss = super().compute_loss(model, inputs, False, num_items_in_batch)
            losses[self.seen // ACCUMULATION] += float(loss.detach())
            self.seen += 1
            return loss

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=1, gradient_accumulation_steps=ACCUMULATION,
            max_steps=STEPS, learning_rate=SETTINGS["learning_rate"], lr_scheduler_type="linear", warmup_steps=WARMUP,
            weight_decay=SETTINGS["weight_decay"], adam_beta1=SETTINGS["adam_beta1"],
            adam_beta2=SETTINGS["adam_beta2"], adam_epsilon=SETTINGS["adam_epsilon"],
            max_grad_norm=SETTINGS["max_grad_norm"], optim="adamw_torch", use_cpu=True, save_strategy="no",
            report_to=[], disable_tqdm=True, logging_strategy="no", remove_unused_columns=False,
        )
        trainer = InOrder(
            model=model, args=arguments, train_dataset=dataset, data_collator=lambda items: items[0]
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return losses


def adapter_tensors(model) -> dict[str, torch.Tensor]:
    return {adapter_name(n): p.detach().double() for n, p in model.named_parameters() if p.requires_grad}


def largest_difference(a: dict, b: dict) -> float:
    return max(float((a[name].double() - b[name].double()).abs().max()) for name in b)


def make_one(name: str, batches: list[dict]) -> None:
    folder = FOLDER / name
    base = DATA / name
    torch.manual_seed(11)
    fresh = get_peft_model(
        load_base(base),
        LoraConfig(
            r=SETTINGS["lora_r"], lora_alpha=SETTINGS["lora_alpha"], lora_dropout=0.0,
            target_modules=ALL_PROJECTIONS, task_type="CAUSAL_LM",
        ),
    )
    save_adapter(fresh, folder / "initial", name)
    model = PeftModel.from_pretrained(load_base(base), folder / "initial", is_trainable=True)
    model.train()
    initial = adapter_tensors(copy.deepcopy(model))
    in_trainer, in_f32 = copy.deepcopy(model), copy.deepcopy(model)

    with in_float64(model):
        log = run_loop(model, batches)
    final = adapter_tensors(model)
    write_tensors(folder / "final_adapter.safetensors", final)
    write_json(folder / "log.json", log)

    clipped = sum(norm > SETTINGS["max_grad_norm"] for norm in log["grad_norm"])
    print(f"{name}: losses {log['loss'][0]:.4f} -> {log['loss'][-1]:.4f}; {clipped} of {STEPS} steps clipped")
    print("  norms", " ".join(f"{norm:.2f}" for norm in log["grad_norm"]))
    assert 3 <= clipped <= STEPS - 3 and all(abs(norm - 1) > 1e-3 for norm in log["grad_norm"])
    print(f"  the adapter moved by up to {largest_difference(initial, final):.3g}")

    log32 = run_loop(in_f32, batches)
    losses32, final32 = log32["loss"], adapter_tensors(in_f32)
    losses_trainer = run_trainer(in_trainer, batches)
    final_trainer = adapter_tensors(in_trainer)
    gap = lambda a, b: max(abs(x - y) for x, y in zip(a, b, strict=True))
    print(f"  float32 loop against float64: loss {gap(losses32, log['loss']):.1e}, adapter {largest_difference(final32, final):.1e}")
    print(f"  Trainer (f32) against loop (f32): loss {gap(losses_trainer, losses32):.1e}, adapter {largest_difference(final_trainer, final32):.1e}")
    assert gap(losses_trainer, losses32) < 1e-5 and largest_difference(final_trainer, final32) < 1e-5
    saved = load_file(folder / "final_adapter.safetensors")
    assert set(saved) == set(load_file(folder / "initial" / "adapter_model.safetensors"))


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    batches = make_data()
    write_json(FOLDER / "data.json", {"settings": SETTINGS, "micro_batches": batches})
    for name in MODELS:
        make_one(name, batches)
