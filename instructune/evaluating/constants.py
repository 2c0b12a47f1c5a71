"""Constant answers worth trying: the best that can be said without looking at any question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.jsonl import dumps
from instructune.texts import words
from instructune.words import joined

_TAGS = 8  # most frequent tags that are each given to every token
_WORDS = 200  # most frequent words that a text may be made of


def constants(answers: Sequence[Answer], sample: Sequence[Answer], most: int) -> list[Any]:
    """The `most` frequent references, and by kind what a metric of parts may like better.

    Of numbers their median and mean; of tags the commonest, each for every token; of texts and
    lists the reference of the `sample` that shares most with the others, and the commonest words
    or labels by themselves, as many as share most.
    """
    kind = answers[0].kind
    if kind == "tags":
        tags = Counter(tag for answer in answers for tag in answer.references[0])
        return [[tag] for tag in _frequent(tags, _TAGS)]
    values = {dumps(value): value for answer in answers for value in answer.references}
    counts = Counter(dumps(value) for answer in answers for value in answer.references)
    found = [values[spelled] for spelled in _frequent(counts, most)]
    if kind == "number":
        numbers = [answer.references[0] for answer in answers]
        return [*found, float(np.median(numbers)), float(np.mean(numbers))]
    for value in _shared(sample, kind):
        if value not in found:
            found.append(value)
    return found


def _shared(sample: Sequence[Answer], kind: str) -> list[Any]:
    """What shares most with the references of all rows: one of them, and one made for it.

    By 2 s / (p + r), where an answer of p parts shares s of a reference's r: the mean over rows,
    but for r, whose own mean stands for it.
    """
    references = [answer.references[0] for answer in sample]
    parts = [reference if kind == "labels" else words(reference) for reference in references]
    size = sum(map(len, parts)) / len(parts)
    rows = Counter(part for found in parts for part in set(found))
    if not rows:
        return []

    def gain(found: Iterable[str], length: int) -> float:
        return 2 * sum(rows[part] for part in found) / len(parts) / (length + size)

    typical = max(range(len(parts)), key=lambda i: (gain(set(parts[i]), len(parts[i])), -i))
    frequent = _frequent(rows, _WORDS)
    sizes = range(1, len(frequent) + 1)
    best = frequent[: max(sizes, key=lambda size: (gain(frequent[:size], size), -size))]
    return [references[typical], best if kind == "labels" else joined(best)[0]]


def _frequent(counts: Counter[Any], most: int) -> list[Any]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [value for value, _ in ordered[:most]]
