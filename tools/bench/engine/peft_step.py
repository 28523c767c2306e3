"""The same training step in PyTorch, transformers and PEFT, as a user would
write it for a CPU. Takes a size as JSON, says what it is, then answers each
line "step" with the time of one step. Weights and tokens are random.
"""

import json
import os
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

IGNORE = -100


def main() -> None:
    size = json.loads(sys.argv[1])
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    torch.manual_seed(1)
    config = dict(size["config"])
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(config.pop("model_type"), **config), dtype=torch.float32)
    lora = LoraConfig(r=size["rank"], lora_alpha=size["alpha"], lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, lora)
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=size["learningRate"], weight_decay=0.0)

    ids = torch.randint(config["vocab_size"], (size["batch"], size["seq"]))
    labels = ids.clone()
    labels[:, : size["promptLength"]] = IGNORE
    mask = torch.ones_like(ids)

    def step() -> float:
        # Without a cache, as TRL's trainer asks for.
        loss = model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, size["maxGradNorm"])
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    say = lambda message: print(json.dumps(message), flush=True)
    say({
        "versions": f"torch {torch.__version__}, transformers {transformers.__version__}, PEFT {peft.__version__}",
        "threads": torch.get_num_threads(),
        "trained": sum(p.numel() for p in trained),
    })
    for line in sys.stdin:
        if line.strip() != "step":
            break
        start = time.perf_counter()
        loss = step()
        say({"ms": 1000 * (time.perf_counter() - start), "loss": loss})


main()
