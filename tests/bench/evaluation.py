"""Scoring with intervals: 8 metrics of 100,000 answers against plain library calls without any."""

from __future__ import annotations

import random
import re
import string
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from instructune.evaluating.predictions import Answer
from instructune.evaluating.summaries import Plan, summarise
from instructune.metrics import metrics
from instructune.statistics.resampling import default_resamples
from tests.bench.measure import alternate, line

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)


def _accuracy(predictions: list[str], references: list[str]) -> None:
    from sklearn.metrics import accuracy_score

    accuracy_score(references, predictions)


def _macro_f1(predictions: list[str], references: list[str]) -> None:
    from sklearn.metrics import f1_score

    f1_score(references, predictions, average="macro", zero_division=0)


def _bleu(predictions: list[str], references: list[str]) -> None:
    import sacrebleu

    sacrebleu.corpus_bleu(predictions, [references])


def _chrf(predictions: list[str], references: list[str]) -> None:
    import sacrebleu

    sacrebleu.corpus_chrf(predictions, [references])


def _rouge(name: str) -> Callable[[list[str], list[str]], None]:
    def call(predictions: list[str], references: list[str]) -> None:
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer([name])
        for prediction, reference in zip(predictions, references, strict=True):
            scorer.score(reference, prediction)

    return call


def _squad(predictions: list[str], references: list[str]) -> None:
    """The rules of SQuAD's script, which is no library."""
    for prediction, reference in zip(predictions, references, strict=True):
        sides = []
        for text in (prediction, reference):
            bare = "".join(ch for ch in text.lower() if ch not in _PUNCTUATION)
            sides.append(" ".join(_ARTICLES.sub(" ", bare).split()).split())
        shared = sum((Counter(sides[0]) & Counter(sides[1])).values())
        if shared:
            precision, recall = shared / len(sides[0]), shared / len(sides[1])
            2 * precision * recall / (precision + recall)


_PEERS = {
    "exact_match": _accuracy,
    "accuracy": _accuracy,
    "token_f1": _squad,
    "bleu": _bleu,
    "rouge_1": _rouge("rouge1"),
    "rouge_2": _rouge("rouge2"),
    "rouge_l": _rouge("rougeL"),
    "chrf": _chrf,
}


def run(rounds: int = 3, rows: int = 100_000) -> dict[str, Any]:
    """Answers of 12 words, 7 in 10 of them right."""
    names = [name for name in _PEERS if name in metrics.names()]
    draw = random.Random(0)
    words = [f"word{i}" for i in range(3000)]
    references = [" ".join(draw.choices(words, k=12)) for _ in range(rows)]
    predictions = [
        " ".join(w if draw.random() < 0.7 else draw.choice(words) for w in reference.split())
        for reference in references
    ]
    answers = [
        Answer(prediction, [reference], "text", {"id": f"{i:06}"})
        for i, (prediction, reference) in enumerate(zip(predictions, references, strict=True))
    ]
    plan = Plan(names, (), default_resamples(rows), 0, {})

    def ours() -> float:
        started = time.perf_counter()
        summarise(plan, answers, None)
        return time.perf_counter() - started

    def plain() -> float:
        started = time.perf_counter()
        for name in names:
            _PEERS[name](predictions, references)
        return time.perf_counter() - started

    mine, theirs, ratio = alternate(ours, plain, rounds)
    return line(
        "evaluation",
        rows=rows,
        metrics=names,
        resamples=plan.resamples,
        seconds=mine,
        library_seconds=theirs,
        ratio=ratio,
    )


if __name__ == "__main__":
    run()
