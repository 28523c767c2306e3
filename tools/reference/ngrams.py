"""Probabilities of NLTK's KneserNeyInterpolated for each token of some documents.

As a script it answers a request on standard input: {"order", "discount", "end", "train", "documents"}, documents being
lists of token ids, with a list of natural logarithms for each document, at last of its end token. Every document begins
with order - 1 end tokens and ends in one.
"""

from __future__ import annotations

import json
import math
import random
import sys

from nltk.lm import KneserNeyInterpolated
from nltk.util import everygrams

ORDERS = [2, 3, 5]
DISCOUNTS = [0.1, 0.75]
END = 0


def log_probs(order: int, discount: float, end: int, train: list[list[int]], documents: list[list[int]]) -> list[list[float]]:
    # NLTK's vocabulary takes words, not numbers.
    padded = lambda document: [str(token) for token in [end] * (order - 1) + document + [end]]
    model = KneserNeyInterpolated(order, discount=discount)
    model.fit([list(everygrams(padded(document), max_len=order)) for document in train], [token for document in train for token in padded(document)])
    result = []
    for document in documents:
        tokens = padded(document)
        scores = [model.score(tokens[t], tokens[t - order + 1 : t]) for t in range(order - 1, len(tokens))]
        result.append([math.log(score) for score in scores])
    return result


def chain(rng: random.Random, length: int, vocabulary: int) -> list[int]:
    """Tokens of which each mostly follows from the one before, so that long n-grams come again."""
    tokens = [rng.randint(1, vocabulary)]
    while len(tokens) < length:
        tokens.append(tokens[-1] * 3 % vocabulary + 1 if rng.random() < 0.7 else rng.randint(1, vocabulary))
    return tokens


def make() -> None:
    from common import DATA, write_json

    rng = random.Random(23)
    train = [chain(rng, length, 12) for length in (90, 1, 60, 75)]
    train.insert(2, [])
    documents = [chain(rng, 30, 12), [], train[0][:12], [rng.randint(1, 12) for _ in range(15)]]
    cases = [
        {"order": order, "discount": discount, "log_probs": log_probs(order, discount, END, train, documents)}
        for order in ORDERS
        for discount in DISCOUNTS
    ]
    write_json(DATA / "ngrams" / "kneser-ney.json", {"end": END, "train": train, "documents": documents, "cases": cases})
    print(f"ngrams: {len(cases)} cases of {sum(map(len, cases[0]['log_probs']))} tokens")


if __name__ == "__main__":
    print(json.dumps(log_probs(**json.load(sys.stdin))))
