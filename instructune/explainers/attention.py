"""Attention: which tokens the model looked at for each token of the answer.

Averaged over layers and heads, or of one of them, or joined over layers by rollout: Abnar and
Zuidema 2020, arXiv 2005.00928. Where a model looks is not yet why it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.attribution.explaining import Case, Source, pieces, rounded
from instructune.errors import usage

if TYPE_CHECKING:
    from instructune.attribution import attentions

PAPER = "https://arxiv.org/abs/2005.00928"


@dataclass(frozen=True)
class Options:
    """`layer` and `head`, counted from 0, pick one; `rollout` joins all layers instead.

    The map has the first `rows` tokens of the answer; `values` are the mean over all of them.
    """

    rollout: bool = False
    layer: int | None = None
    head: int | None = None
    rows: int = 32

    def __post_init__(self) -> None:
        if self.rollout and (self.layer, self.head) != (None, None):
            reason = "goes through all layers and heads; leave layer and head out"
            raise usage(reason, where="--explain attention:rollout")
        if min(self.layer or 0, self.head or 0) < 0:
            raise usage("are counted from 0", where="--explain attention: layer and head")
        if self.rows < 1:
            raise usage("must be at least 1", where="--explain attention:rows")


class Explainer:
    """One pass forward, layer by layer.

    Of an answer without a text the rows are those of the tokens at which it was read.
    """

    def __init__(self, options: Options, source: Source) -> None:
        self.options, self.source = options, source

    def __call__(self, case: Case) -> dict[str, Any]:
        """A value for each token that was looked at; `map` holds a row an answer token."""
        from instructune.attribution import attentions

        options, model = self.options, self.source.model
        texts = pieces([*case.prompt, *case.answer], self.source.tokenizer)
        if case.chosen:
            places = attentions.places_of(model, case.chosen)
            rows, virtual = attentions.of_target(model, case.chosen, self._seen(places))
            answer, target = [texts[i] for i in places], "attention where the answer was read"
        else:
            count, ids = len(case.answer), [*case.prompt, *case.answer][:-1]
            rows, virtual = attentions.of_answer(model, ids, self._seen(count))
            answer, texts = texts[-count:], texts[:-1]
            target = f"attention when the answer's {count} tokens were chosen"
        sums = rows.double().sum(1)
        return {
            "target": target,
            "tokens": ["<adapter>"] * virtual + texts,
            "values": rounded(rows.mean(0).tolist()),
            "answer": answer[: options.rows],
            "map": [rounded(row) for row in rows[: options.rows].tolist()],
            "check": {
                "rows": len(rows),
                "row_sums": rounded([sums.min().item(), sums.max().item()]),
            },
        }

    def _seen(self, rows: int | list[int]) -> attentions.Mean | attentions.Rollout:
        from instructune.attribution import attentions

        if self.options.rollout:
            return attentions.Rollout(rows)
        return attentions.Mean(rows, self.options.layer, self.options.head)
