"""The labels of records as numbers, in the order of a model's outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from instructune.errors import UserError, did_you_mean, usage
from instructune.files import open_input


class Classes:
    """Labels that are known: those given, then, as long as it learns, those it meets."""

    def __init__(self, labels: Iterable[str] = (), *, fixed: bool = False) -> None:
        self.labels = list(labels)
        self.fixed = fixed
        self.counts: Counter[int] = Counter()
        self._number = {label: i for i, label in enumerate(self.labels)}

    def number(self, label: str, *, learns: bool) -> int:
        """The label's number; raises UserError where it is new and none may be."""
        found = self._number.get(label)
        if found is None:
            if self.fixed or not learns:
                known = did_you_mean(label, self.labels)
                raise UserError(f"the label {label!r} is none of those to be learned", hint=known)
            found = self._number[label] = len(self.labels)
            self.labels.append(label)
        if learns:
            self.counts[found] += 1
        return found


def read_labels(name: str) -> list[str]:
    """Labels from a file, one a line; raises a usage error where there are fewer than two."""
    with open_input(name) as source:
        text = source.stream.read().decode("utf-8-sig", "replace")
    labels = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(labels) < 2:
        raise usage("needs two different labels or more, one a line", where=name)
    return labels


def balanced(counts: Counter[int], size: int) -> list[float]:
    """Weights that make all classes count alike: n / (classes x count), as in scikit-learn.

    A class that is nowhere in the data gets 1.
    """
    total, seen = counts.total(), sum(1 for n in counts.values() if n)
    return [total / (seen * counts[i]) if counts[i] else 1.0 for i in range(size)]
