"""Integrated gradients: each prompt token's share in the answer's log-probability, adding up.

Sundararajan et al. 2017, arXiv 1703.01365. Models that normalise their embeddings change within a
hair of zero, so that a way from zeros needs very many steps; the mean embedding is far from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instructune.errors import usage
from instructune.explainers._baselines import Baselines, Kind
from instructune.explaining import Case, Source, pieces, rounded

PAPER = "https://arxiv.org/abs/1703.01365"


@dataclass(frozen=True)
class Options:
    """`steps` places of the way from the `baseline` are looked at.

    They are doubled, up to 8 times as many, until the values add up to score - baseline within
    `tolerance` times that difference (or times 1, where it is less).
    """

    steps: int = 16
    baseline: Kind = "mean"
    tolerance: float = 0.01

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 4096:
            raise usage("must be from 1 to 4096", where="--explain integrated:steps")
        if self.tolerance <= 0:
            raise usage("must be above 0", where="--explain integrated:tolerance")


class Explainer:
    """A pass forward and back for each step; `check` tells how far the sum is off, as `gap`."""

    def __init__(self, options: Options, source: Source) -> None:
        self.options, self.source = options, source
        self.baselines = Baselines(options.baseline, source.tokenizer.pad_id)

    def __call__(self, case: Case) -> dict[str, Any]:
        """A value for each token of the prompt."""
        from instructune.attributions import integrated_gradients, of_answer

        subject = of_answer(self.source.model, case.prompt, case.answer)
        start = self.baselines.start(subject, len(case.prompt))
        path = integrated_gradients(subject, start, self.options.steps, self.options.tolerance)
        found = (path.score, path.baseline, path.values.sum().item(), path.gap)
        names = ("score", "baseline", "sum", "gap")
        return {
            "tokens": pieces(case.prompt, self.source.tokenizer),
            "values": rounded(path.values[: len(case.prompt)].tolist()),
            "check": dict(zip(names, rounded(found), strict=True)) | {"steps": path.steps},
        }
