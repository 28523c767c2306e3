"""Corpus -> tokenizer and token files, split by document.

Reads WORK/recipe.json and a corpus of JSON lines ({"kind", "source", "text"}, plain or .xz); writes
into the work folder what recipe.ts lists: tokenizer.json (byte-level BPE, unless the recipe names
one), train.bin and held.bin, train.docs.json and held.docs.json (kind, source, tokens, UTF-8 bytes of
each document, in the order of the tokens). Documents are shuffled by the recipe's seed. The same
corpus and recipe give the same bytes. It does not make the forms (forms.ts).

    python prepare.py CORPUS WORK
"""
import argparse
import hashlib
import json
import lzma
import os
import random

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

END = 0  # <|endoftext|>
CHARS_PER_PIECE = 200_000
CHARS_PER_TRAINING_PIECE = 20_000


def read_documents(path):
    with (lzma.open if path.endswith(".xz") else open)(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            document = json.loads(line)
            if not all(isinstance(document.get(key), str) for key in ("kind", "source", "text")):
                raise SystemExit(f"{path}, line {number}: a document needs kind, source and text")
            yield document


def is_held_out(source, modulo):
    return int(hashlib.sha256(source.encode()).hexdigest(), 16) % modulo == 0


def pieces(text, size):
    return [text[i : i + size] for i in range(0, len(text), size)]


def make_tokenizer(documents, recipe):
    settings = recipe["tokenizer"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(settings["preTokenizer"]), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()

    def texts():
        for document in documents:
            text = document["text"][: settings["charsPerBook"]] if document["kind"] == "book" else document["text"]
            yield from pieces(text, CHARS_PER_TRAINING_PIECE)

    tokenizer.train_from_iterator(texts(), trainers.BpeTrainer(
        vocab_size=recipe["model"]["vocabSize"], special_tokens=settings["special"], min_frequency=settings["minFrequency"],
        show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def given_tokenizer(recipe):
    """The file that the recipe names, or that of the weights that it goes on from; None where it names neither."""
    init = recipe["init"]
    path = recipe["tokenizer"]["file"] or (init and os.path.join(init["folder"], "tokenizer.json"))
    return Tokenizer.from_file(path) if path else None


def check(tokenizer, recipe):
    special, size = recipe["tokenizer"]["special"], recipe["model"]["vocabSize"]
    if [tokenizer.token_to_id(token) for token in special] != list(range(len(special))):
        raise SystemExit(f"the tokenizer's first tokens are not {', '.join(special)}")
    if tokenizer.get_vocab_size() > size:
        raise SystemExit(f"the tokenizer has {tokenizer.get_vocab_size()} tokens, the model {size}")


def write_whole(path, write):
    """Under another name first, so that a file of this name is never half a file."""
    write(path + ".part")
    os.replace(path + ".part", path)


def write_json(path, value):
    def write(part):
        with open(part, "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, separators=(",", ":"))
    write_whole(path, write)


def encode(tokenizer, documents, work, name):
    tokens, notes = [], []
    for document in documents:
        text = document["text"]
        ids = [i for encoding in tokenizer.encode_batch(pieces(text, CHARS_PER_PIECE), add_special_tokens=False) for i in encoding.ids] + [END]
        tokens.append(np.array(ids, "<u2"))
        notes.append({"kind": document["kind"], "source": document["source"], "tokens": len(ids), "bytes": len(text.encode())})
    whole = np.concatenate(tokens) if tokens else np.zeros(0, "<u2")
    write_whole(f"{work}/{name}.bin", lambda part: whole.tofile(part))
    write_json(f"{work}/{name}.docs.json", notes)
    print(json.dumps({"part": name, "documents": len(notes), "tokens": len(whole), "bytes": sum(n["bytes"] for n in notes)}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("work")
    args = parser.parse_args()
    with open(f"{args.work}/recipe.json", encoding="utf-8") as file:
        recipe = json.load(file)
    documents = list(read_documents(args.corpus))
    parts = {"train": [], "held": []}
    for document in documents:
        parts["held" if is_held_out(document["source"], recipe["heldOutModulo"]) else "train"].append(document)
    for name, part in parts.items():
        if not part:
            raise SystemExit(f"no document is in the part “{name}”: the corpus is too small, or heldOutModulo does not suit it")
    tokenizer = given_tokenizer(recipe) or make_tokenizer(parts["train"], recipe)
    check(tokenizer, recipe)
    tokenizer.encode_special_tokens = True  # their names in a text are text
    write_whole(f"{args.work}/tokenizer.json", lambda part: tokenizer.save(part))
    for name, part in parts.items():
        random.Random(recipe["seed"]).shuffle(part)
        encode(tokenizer, part, args.work, name)


if __name__ == "__main__":
    main()
