"""Regenerates the reference values: python tools/reference/make.py [--only NAME,...] [--base-model DIR]"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

PARTS = ["tiny", "families", "trajectory", "operators", "sampler", "ours", "added_tokens", "embedded", "tokenizer", "ngrams", "settings_files"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="comma-separated parts: " + ", ".join(PARTS))
    parser.add_argument(
        "--base-model",
        type=Path,
        default=Path(__file__).resolve().parents[2] / "public" / "models" / "ductus-base",
        help="the embedded model's folder (parts added_tokens, embedded and tokenizer)",
    )
    arguments = parser.parse_args()
    wanted = arguments.only.split(",") if arguments.only else PARTS
    unknown = set(wanted) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    for part in PARTS:
        if part in wanted:
            module = importlib.import_module(part)
            if part in ("added_tokens", "embedded", "tokenizer"):
                module.make(arguments.base_model)
            else:
                module.make()


if __name__ == "__main__":
    main()
