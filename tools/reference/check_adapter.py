"""Opens an adapter folder with PEFT and prints the logits it gives, as JSON.

    python tools/reference/check_adapter.py --base DIR [--adapter DIR] --ids "1,2,3"
    python tools/reference/check_adapter.py --base DIR [--adapter DIR] --text FILE

prints {"tokens": [...], "logits": [[...], ...]}, [positions, vocabulary], float32,
for that one sequence without padding; a text is read by the adapter's tokenizer,
if its folder holds one, else the base's. Without an adapter transformers opens the
base alone. Anything PEFT would only warn about (a tensor missing,
one too many, a wrong shape) is an error here: exit status 2 and a line on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as hf_logging


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--adapter", type=Path, help="folder of the PEFT adapter")
    given_text = parser.add_mutually_exclusive_group(required=True)
    given_text.add_argument("--ids", help="token ids, separated by commas")
    given_text.add_argument("--text", type=Path, help="a text in UTF-8")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    base = AutoModelForCausalLM.from_pretrained(
        arguments.base, dtype=torch.float32, attn_implementation="eager", local_files_only=True
    )
    if arguments.text:
        own = arguments.adapter and (arguments.adapter / "tokenizer.json").is_file()
        tokenizer = AutoTokenizer.from_pretrained(arguments.adapter if own else arguments.base, local_files_only=True)
        ids = tokenizer(arguments.text.read_text(encoding="utf-8"))["input_ids"]
    else:
        ids = [int(part) for part in arguments.ids.split(",")]
    model = base.eval() if arguments.adapter is None else with_adapter(base, arguments.adapter)
    if model is None:
        return 2
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    json.dump({"tokens": ids, "logits": [[float(f"{x:.9g}") for x in row] for row in logits.tolist()]}, sys.stdout)
    print()
    return 0


def with_adapter(base, adapter: Path):
    """The model with the adapter; None, and a line on stderr, where PEFT did not take all of it."""
    tokens = json.loads((adapter / "adapter_config.json").read_text())["trainable_token_indices"] or []
    ids_trained = [i for part in tokens.values() for i in part] if isinstance(tokens, dict) else tokens
    if ids_trained and max(ids_trained) >= base.config.vocab_size:
        base.resize_token_embeddings(max(ids_trained) + 1)  # as the adapter's card says
    model = PeftModel.from_pretrained(base, adapter).eval()

    given = load_file(adapter / "adapter_model.safetensors")
    # No look at the embedding layers: for that PEFT would want the base by its name.
    held = get_peft_model_state_dict(model, save_embedding_layers=False)
    wrong = sorted(set(given) ^ set(held))
    wrong += sorted(n for n in set(given) & set(held) if not torch.equal(given[n].float(), held[n].float()))
    if wrong:
        print(f"PEFT did not take these tensors as they are: {', '.join(wrong)}", file=sys.stderr)
        return None
    return model


if __name__ == "__main__":
    sys.exit(main())
