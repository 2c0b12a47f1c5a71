"""A metric as `--metric` spells it, `NAME[:key=value,…]`, with its options filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from instructune.errors import usage
from instructune.evaluating.predictions import Answer
from instructune.metrics import metrics


class Metric:
    """A metric's module, whose functions take their last argument, the options, no more.

    `SIGNATURE` names every option. It may depend on the answers, which choose a tokenizer or the
    positive class: a module says so with `signature(answers, options)`.
    """

    def __init__(self, spec: str, answers: Sequence[Answer] = ()) -> None:
        self.name, self._module, self._options = metrics.configure(spec)
        self.SIGNATURE = self._signature(answers)

    def _signature(self, answers: Sequence[Answer]) -> str:
        if answers and hasattr(self._module, "signature"):
            return self.signature(answers)
        given = vars(self._options) if self._options is not None else {}
        named = (f"{key}:{str(value).lower()}" for key, value in given.items())
        return "|".join([self._module.SIGNATURE, *named])

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if self._options is None or not callable(found):
            return found
        return lambda *given: found(*given, self._options)


def bare(spec: str) -> str:
    """The name in `NAME:key=value,…`."""
    return spec.partition(":")[0]


def resolved(name: str, asked: Sequence[str]) -> str:
    """The metric that a gate means by `name`: a spec as asked, itself where none bears it."""
    bearers = [spec for spec in dict.fromkeys(asked) if bare(spec) == name]
    if name in asked or not bearers:
        return name
    if len(bearers) > 1:
        raise usage(
            f"{name} may be any of {', '.join(bearers)}",
            where="--fail-if",
            hint=f"quote the one you mean: '\"{bearers[0]}\" < 0.5'",
        )
    return bearers[0]
