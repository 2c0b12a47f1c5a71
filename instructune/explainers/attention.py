"""Attention: which tokens the model looked at for each token of the answer.

Averaged over layers and heads, or of one of them, or joined over layers by rollout: Abnar and
Zuidema 2020, arXiv 2005.00928. Where a model looks is not yet why it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instructune.attribution.explaining import Case, Source, pieces, rounded
from instructune.errors import usage

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
    """One pass forward, layer by layer."""

    def __init__(self, options: Options, source: Source) -> None:
        self.options, self.source = options, source

    def __call__(self, case: Case) -> dict[str, Any]:
        """A value for each token before the answer's last; `map` holds a row an answer token."""
        from instructune.attribution import attentions

        options, count = self.options, len(case.answer)
        ids = [*case.prompt, *case.answer][:-1]
        seen: attentions.Mean | attentions.Rollout
        if options.rollout:
            seen = attentions.Rollout(count)
        else:
            seen = attentions.Mean(count, options.layer, options.head)
        rows, virtual = attentions.of_answer(self.source.model, ids, seen)
        tokenizer = self.source.tokenizer
        texts = pieces([*case.prompt, *case.answer], tokenizer)
        sums = rows.double().sum(1)
        return {
            "target": f"attention when the answer's {count} tokens were chosen",
            "tokens": ["<adapter>"] * virtual + texts[:-1],
            "values": rounded(rows.mean(0).tolist()),
            "answer": texts[len(case.prompt) :][: options.rows],
            "map": [rounded(row) for row in rows[: options.rows].tolist()],
            "check": {"rows": count, "row_sums": rounded([sums.min().item(), sums.max().item()])},
        }
