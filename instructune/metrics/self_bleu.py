"""Mean BLEU of each answer against all others: how alike they are, 0 to 100; less is better.

Zhu et al. 2018, arXiv:1802.01886. It needs no reference. Intervals and tests take the other answers
as given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._sacrebleu import mostly_chinese

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = False
RANGE = (0.0, 100.0)
WORST = 100.0
CHANCE = False  # it has no right answers to guess
SIGNATURE = "sentence_bleu:effective_order,smooth:exp|pool:fixed"
PAPER = "https://arxiv.org/abs/1802.01886"

_ORDER = 4
Grams = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class Options:
    """`among=samples`: against the other samples of the same id. `tokenize` is as of bleu."""

    among: Literal["all", "samples"] = "all"
    tokenize: Literal["auto", "13a", "zh", "intl", "char", "none"] = "auto"


def signature(answers: Sequence[Answer], options: Options) -> str:
    """The recipe, with the tokenizer that was chosen."""
    return f"{SIGNATURE}|among:{options.among}|tok:{_tokenizer(answers, options)}"


def _tokenizer(answers: Sequence[Answer], options: Options) -> str:
    if options.tokenize != "auto":
        return options.tokenize
    return "zh" if mostly_chinese(answers) else "13a"


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 2): the row's BLEU against the others, and 1; an error scores 100."""
    from sacrebleu.metrics import BLEU

    scorer = BLEU(tokenize=_tokenizer(answers, options), effective_order=True, force=True)
    pools: dict[Any, list[int]] = {}
    for i, answer in enumerate(answers):
        if answer.prediction is not None:
            pools.setdefault(answer.row["id"] if options.among == "samples" else 0, []).append(i)
    table = np.column_stack([np.full(len(answers), WORST), np.ones(len(answers))])
    for members in pools.values():
        if len(members) < 2:
            name = answers[members[0]].row["id"]
            raise UserError(
                f"id {name!r} has no other answer to be compared with",
                hint="generate --samples 4, or --metric self_bleu:among=all",
            )
        texts = [scorer._preprocess_segment(answers[i].prediction).split() for i in members]
        table[members, 0] = _against_others(texts)
    return table


def _against_others(texts: Sequence[Sequence[str]]) -> list[float]:
    """Each text's sentence BLEU with all others as references.

    The most that any other text has of an n-gram is the most of all, or the second most where
    the text has the most itself.
    """
    from sacrebleu.metrics import BLEU

    counts = [_grams(text) for text in texts]
    most: dict[tuple[str, ...], tuple[int, int]] = {}
    for grams in counts:
        for gram, count in grams.items():
            first, second = most.get(gram, (0, 0))
            most[gram] = (max(first, count), max(second, min(first, count)))
    lengths = np.sort([len(text) for text in texts])
    scores = []
    for text, grams in zip(texts, counts, strict=True):
        matched, total = [0] * _ORDER, [0] * _ORDER
        for gram, count in grams.items():
            first, second = most[gram]
            total[len(gram) - 1] += count
            matched[len(gram) - 1] += min(count, second if count == first else first)
        nearest = _nearest_other(lengths, len(text))
        score = BLEU.compute_bleu(matched, total, len(text), nearest, "exp", effective_order=True)
        scores.append(min(100.0, score.score))
    return scores


def _grams(tokens: Sequence[str]) -> Grams:
    found: Grams = Counter()
    for order in range(1, _ORDER + 1):
        found.update(zip(*(tokens[i:] for i in range(order)), strict=False))
    return found


def _nearest_other(lengths: np.ndarray, own: int) -> int:
    """The nearest length of the other texts, of two the shorter; `lengths` is sorted."""
    start = int(np.searchsorted(lengths, own))
    if start + 1 < len(lengths) and lengths[start + 1] == own:
        return own
    around = [int(lengths[i]) for i in (start - 1, start + 1) if 0 <= i < len(lengths)]
    return min(around, key=lambda length: abs(length - own))


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """The mean over rows."""
    return sums[..., 0] / sums[..., 1]
