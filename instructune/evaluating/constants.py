"""Constant answers worth trying: the best that can be said without looking at any question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from string import punctuation
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.jsonl import dumps
from instructune.texts import folded, words
from instructune.words import joined

_TAGS = 8  # most frequent tags that are each given to every token
_WORDS = 200  # most frequent words that a text may be made of


def constants(answers: Sequence[Answer], sample: Sequence[Answer], most: int) -> list[Any]:
    """The `most` frequent references, and by kind what a metric of parts may like better.

    Of numbers the median and mean of the `sample`; of tags the commonest, each for every token; of
    texts and lists the reference of the sample that shares most with the others, and the commonest
    words or labels by themselves, as many as share most.
    """
    kind = answers[0].kind
    if kind == "tags":
        tags = Counter(tag for answer in answers for tag in answer.references[0])
        return [[tag] for tag in _frequent(tags, _TAGS)]
    values = {dumps(value): value for answer in answers for value in answer.references}
    counts = Counter(dumps(value) for answer in answers for value in answer.references)
    found = [values[spelled] for spelled in _frequent(counts, most)]
    if kind == "number":
        numbers = [answer.references[0] for answer in sample]
        return [*found, float(np.median(numbers)), float(np.mean(numbers))]
    for value in _shared(sample, kind):
        if value not in found:
            found.append(value)
    return found


def _shared(sample: Sequence[Answer], kind: str) -> list[Any]:
    """What shares most with the references of all rows: one of them, and one made for it.

    By 2 s / (p + r), where an answer of p parts shares s of those that a row's references hold,
    r each: the mean over rows. To choose among references r is that of all rows.
    """
    parts = [[_parts(value, kind) for value in answer.references] for answer in sample]
    held = [set().union(*found) for found in parts]
    rows = Counter(part for found in held for part in found)
    if not rows:
        return []
    sizes = np.array([np.mean(list(map(len, found))) for found in parts])

    def gain(found: Sequence[str]) -> float:
        return sum(rows[part] for part in set(found)) / (len(found) + sizes.mean())

    flat = [
        (value, part)
        for a, p in zip(sample, parts, strict=True)
        for value, part in zip(a.references, p, strict=True)
    ]
    typical = max(flat, key=lambda pair: gain(pair[1]))[0]
    frequent = _frequent(rows, _WORDS)
    shared = np.array([[part in found for part in frequent] for found in held]).cumsum(axis=1)
    lengths = np.arange(1, len(frequent) + 1)
    gains = (2 * shared / (lengths + sizes[:, None])).mean(axis=0)
    best = frequent[: int(gains.argmax()) + 1]
    return [typical, best if kind == "labels" else joined(best)[0]]


def _parts(value: Any, kind: str) -> list[str]:
    """Labels, or words as blanks part them: metrics differ in what hyphens and dots do."""
    if kind == "labels":
        return value
    bare = (word.strip(punctuation) for word in folded(value).split())
    return [part for word in bare for part in ([word] if word.isascii() else words(word)) if part]


def _frequent(counts: Counter[Any], most: int) -> list[Any]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [value for value, _ in ordered[:most]]
