"""Adapters that *we* wrote, opened by PEFT.

As a part of make.py: opens the folders in data/ours (written by ours.ts) with
PEFT and stores the logits of the reference batch, float64 rounded to float32.

By itself: python tools/reference/ours.py --file FILE --into DIR
reads our one-file form with Hugging Face's safetensors, prints its notes and the
sum of each tensor as JSON, and lays it out as a PEFT folder for check_adapter.py.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path


def make() -> None:
    import torch
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors.torch import load_file

    from common import DATA, in_float64, load_base, pad_right, write_tensors
    from tiny import MODELS

    for name in MODELS:
        folder = DATA / "ours" / name
        batch = json.loads((DATA / name / "batch.json").read_text())
        ids, mask, _ = pad_right(batch["rows"], batch["prompt_lengths"])
        base = load_base(DATA / name)
        with torch.no_grad():
            bare = base(input_ids=ids, attention_mask=mask, use_cache=False).logits
        model = PeftModel.from_pretrained(base, folder).eval()
        given = load_file(folder / "adapter_model.safetensors")
        held = get_peft_model_state_dict(model, save_embedding_layers=False)
        assert set(given) == set(held) and all(torch.equal(given[key], held[key]) for key in given)
        with torch.no_grad():
            f32 = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
            with in_float64(model):
                logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        real = mask.bool()
        moved = float((logits - bare)[real].abs().mean())
        print(f"ours, {name}: {len(given)} tensors; logits moved by {moved:.2f}; f32 off by {float((f32 - logits)[real].abs().max()):.1e}")
        assert moved > 0.5, "the adapter hardly matters"
        write_tensors(DATA / "ours" / f"{name}.safetensors", {"logits": logits * mask[..., None]})


def lay_out(file: Path, into: Path) -> None:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        notes = opened.metadata()
        sums = {key: float(opened.get_tensor(key).double().sum()) for key in opened.keys()}
    into.mkdir(parents=True, exist_ok=True)
    (into / "adapter_config.json").write_text(notes["adapter_config"])
    shutil.copyfile(file, into / "adapter_model.safetensors")
    json.dump({"notes": notes, "sums": sums}, sys.stdout)
    print()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    arguments = parser.parse_args()
    lay_out(arguments.file, arguments.into)
