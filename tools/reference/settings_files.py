"""What TRL's SFTConfig and PEFT's LoraConfig write of themselves: every name that such a file may hold, with its default,
and a filled-in one of each. Paths and names of the machine are left out."""

from __future__ import annotations

import json

from peft import LoraConfig
from trl import SFTConfig

from common import DATA, write_json


def plain(values: dict) -> dict:
    """As the classes' own files have it: sets as lists, enumerations as their values."""
    return json.loads(json.dumps(values, default=lambda v: sorted(v) if isinstance(v, set) else getattr(v, "value", str(v))))


def make() -> None:
    folder = DATA / "settings"
    folder.mkdir(exist_ok=True)
    write_json(folder / "sft-default.json", plain(SFTConfig(output_dir="out", use_cpu=True, report_to=[]).to_dict()))
    write_json(folder / "lora-default.json", plain(LoraConfig(task_type="CAUSAL_LM").to_dict()))
    sft = SFTConfig(
        output_dir="out", use_cpu=True, report_to=[], bf16=False, learning_rate=3e-4, lr_scheduler_type="cosine", warmup_steps=0.1, num_train_epochs=1.5, max_steps=60,
        per_device_train_batch_size=3, gradient_accumulation_steps=5, max_grad_norm=0.7, optim="adamw_torch", weight_decay=0.02, adam_beta1=0.8, adam_beta2=0.95,
        adam_epsilon=1e-7, max_length=99, packing=True, neftune_noise_alpha=5, eval_strategy="steps", eval_steps=9, save_steps=9, load_best_model_at_end=True, seed=8, completion_only_loss=True,
    )
    write_json(folder / "sft-filled.json", plain(sft.to_dict()))
    lora = LoraConfig(r=6, lora_alpha=13, lora_dropout=0.3, use_rslora=True, target_modules=["down_proj", "q_proj"], trainable_token_indices=[5, 3], task_type="CAUSAL_LM")
    write_json(folder / "lora-filled.json", plain(lora.to_dict()))
