"""Values of measures of style: scikit-learn's character n-grams with logistic regression and its ROC curve's area, NLTK's
BLEU of each text against the rest, statsmodels' Wilson interval and SciPy's binomial test. The texts are made of syllables
here; nobody wrote them."""

from __future__ import annotations

import random
import warnings

import numpy as np
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from scipy.stats import binomtest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

AUTHORS = ["Anna", "bo", "Çelik", "ďura"]  # capitals, letters outside ASCII: how classes are sorted shows
ONSETS = ["b", "d", "k", "l", "m", "r", "s", "t", "ch", "th", "é", "ñ", "ﬁ"]
VOWELS = ["a", "e", "i", "o", "u", "ae", "ö"]
GAPS = {"Anna": [" "], "bo": [" ", "  "], "Çelik": [" ", "\n", " \n\t", "\u00a0 "], "ďura": [" ", "\u2003\u001f", "\ufeff\ufeff"]}
SIGNS = {"Anna": [". ", "! "], "bo": ["; ", ". "], "Çelik": ["… ", ". "], "ďura": [" 🙂🙂 ", ". ", " 👩‍🌾"]}


def author_words(rng: random.Random, shared: list[str]) -> list[str]:
    own = ["".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 3))) for _ in range(25)]
    return own + shared * 2


def text(rng: random.Random, author: str, words: list[str]) -> str:
    pieces = []
    for i in range(rng.randint(6, 16)):
        word = rng.choice(words)
        pieces.append(word.capitalize() if rng.random() < 0.2 else word)
        pieces.append(rng.choice(SIGNS[author]) if rng.random() < 0.15 else rng.choice(GAPS[author]))
    return "".join(pieces)


def unambiguous(texts: list[str], most: int) -> int:
    """The largest number of features up to `most` at which no tie decides which of them are taken."""
    counts = TfidfVectorizer(analyzer="char", ngram_range=(2, 4), lowercase=False, use_idf=False, norm=None).fit_transform(texts).sum(axis=0)
    sorted_counts = np.sort(np.asarray(counts).ravel())[::-1]
    return next(n for n in range(most, 0, -1) if n >= len(sorted_counts) or sorted_counts[n - 1] > sorted_counts[n])


def classified(train: list[str], labels: list[str], test: list[str], features: int, balanced: bool) -> dict:
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(2, 4), sublinear_tf=True, lowercase=False, max_features=features)
    rows = vectorizer.fit_transform(train)
    model = LogisticRegression(C=10, solver="lbfgs", tol=1e-10, max_iter=20_000, class_weight="balanced" if balanced else None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(rows, labels)
    probabilities = model.predict_proba(vectorizer.transform(test))
    return {"features": features, "balanced": balanced, "columns": len(vectorizer.vocabulary_), "classes": model.classes_.tolist(), "probabilities": probabilities.round(7).tolist()}


def ngram_classifier() -> dict:
    rng = random.Random(61)
    shared = ["".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 3))) for _ in range(60)]
    words = {author: author_words(rng, shared) for author in AUTHORS}
    train = [(author, text(rng, author, words[author])) for author, count in zip(AUTHORS, [24, 24, 24, 8]) for _ in range(count)]
    rng.shuffle(train)
    test = [(author, text(rng, author, words[author])) for author in AUTHORS for _ in range(8)]
    test += [("bo", ""), ("bo", "x"), ("Anna", "ZZZZ")]  # nothing known in them
    cases = []
    for authors, most, balanced in [(AUTHORS, 60_000, False), (AUTHORS, 700, True), (["Anna", "bo"], 60_000, False), (["bo", "ďura"], 500, True)]:
        texts = [t for a, t in train if a in authors]
        labels = [a for a, _ in train if a in authors]
        features = 60_000 if most == 60_000 else unambiguous(texts, most)
        case = {"authors": authors} | classified(texts, labels, [t for _, t in test], features, balanced)
        own = [i for i, (a, _) in enumerate(test) if a in authors]
        truth = [test[i][0] for i in own]
        probabilities = np.array(case["probabilities"])[own]
        case["aucs"] = [float(roc_auc_score([t == c for t in truth], probabilities[:, k])) for k, c in enumerate(case["classes"])]
        cases.append(case)
    return {"train": train, "test": test, "cases": cases}


def self_bleu() -> dict:
    rng = random.Random(62)
    vocabulary = [chr(97 + i) for i in range(9)]
    sets = []
    for count, low, high in [(6, 5, 30), (2, 12, 12), (4, 1, 6), (5, 8, 9)]:
        texts = [[rng.choice(vocabulary) for _ in range(rng.randint(low, high))] for _ in range(count)]
        smooth = SmoothingFunction().method1
        scores = [float(sentence_bleu(texts[:i] + texts[i + 1 :], one, smoothing_function=smooth)) for i, one in enumerate(texts)]
        sets.append({"texts": texts, "scores": scores})
    return {"sets": sets}


def proportions() -> dict:
    cases = []
    for wins, losses, ties in [(0, 1, 0), (6, 0, 0), (14, 6, 0), (14, 4, 2), (11, 9, 7), (60, 40, 0), (0, 0, 3), (155, 105, 60), (3, 3, 1)]:
        judged = wins + losses + ties
        low, high = proportion_confint(wins + ties / 2, judged, alpha=0.05, method="wilson")
        p = binomtest(wins, wins + losses, 0.5).pvalue if wins + losses else 1.0
        cases.append({"wins": wins, "losses": losses, "ties": ties, "low": float(low), "high": float(high), "p": float(p)})
    return {"cases": cases}


def make() -> None:
    from common import DATA, write_json

    for name, value in {"ngram-classifier": ngram_classifier(), "self-bleu": self_bleu(), "proportions": proportions()}.items():
        write_json(DATA / "style" / f"{name}.json", value)
    print("style: n-gram classifier, self-BLEU, proportions")
