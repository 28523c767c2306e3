"""The losses of TRL's SFTTrainer, for comparison with ours:
python sft_trl.py --model DIR --init ADAPTER_DIR --data FILE.jsonl --config FILE.json
trains in float32, in the order of the file, and prints a JSON line a step.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "init", "data", "config"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()

    import torch
    from datasets import Dataset
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    torch.set_num_threads(1)
    config = json.loads(arguments.config.read_text())
    assert config.pop("shuffle") is False
    rows = [json.loads(line) for line in arguments.data.read_text(encoding="utf-8").splitlines() if line.strip()]
    base = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32, attn_implementation="eager")
    model = PeftModel.from_pretrained(base, arguments.init, is_trainable=True)
    logs = []

    class Keep(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **_):
            if "loss" in logs:
                kept.append((state.global_step, logs))

    kept: list = logs
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            output_dir=folder, train_sampling_strategy="sequential", bf16=False, use_cpu=True, logging_steps=1, logging_strategy="steps",
            save_strategy="no", report_to=[], disable_tqdm=True, dataset_num_proc=None, **config,
        )
        trainer = SFTTrainer(
            model=model, args=settings, train_dataset=Dataset.from_list(rows),
            processing_class=AutoTokenizer.from_pretrained(arguments.model), callbacks=[Keep()],
        )
        rows_of_tokens = [{"input_ids": list(row["input_ids"]), "labels": list(row["labels"])} for row in trainer.train_dataset]
        # The trainer rounds nothing, but prints to standard output what it logs.
        stdout, sys.stdout = sys.stdout, sys.stderr
        trainer.train()
        sys.stdout = stdout
    before = 0.0
    for step, log in logs:
        tokens = log["num_tokens"]
        print(json.dumps({"step": step, "loss": float(log["loss"]), "lr": log["learning_rate"], "gradNorm": float(log["grad_norm"]), "tokens": int(tokens - before)}))
        before = tokens
    print(json.dumps({"examples": rows_of_tokens}))


if __name__ == "__main__":
    main()
