"""Integrated gradients: each prompt token's share in the answer's log-probability, adding up.

Sundararajan et al. 2017, arXiv 1703.01365. Language models leap on the way from a baseline, more so
from zeros, which they normalise: where `complete` is false, more steps are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instructune.attribution.explaining import Case, Source, pieces, rounded
from instructune.errors import usage
from instructune.explainers._baselines import Baselines, Kind

PAPER = "https://arxiv.org/abs/1703.01365"


@dataclass(frozen=True)
class Options:
    """At most `steps` gradients are taken on the way from the `baseline`, where it bends most.

    Fewer where the values add up to score - baseline within `tolerance` times that difference (or
    times 1, where it is less) before; `check.complete` tells whether they do.
    """

    steps: int = 64
    baseline: Kind = "mean"
    tolerance: float = 0.01

    def __post_init__(self) -> None:
        if not 4 <= self.steps <= 4096:
            raise usage("must be from 4 to 4096", where="--explain integrated:steps")
        if self.tolerance <= 0:
            raise usage("must be above 0", where="--explain integrated:tolerance")


class Explainer:
    """A pass forward and back for each step; `check.gap` adds up how far each part is off."""

    def __init__(self, options: Options, source: Source) -> None:
        self.options, self.source = options, source
        self.baselines = Baselines(options.baseline, source.tokenizer.pad_id)

    def __call__(self, case: Case) -> dict[str, Any]:
        """A value for each token of the prompt."""
        from instructune.attribution.attributions import integrated_gradients, of_case

        subject = of_case(self.source.model, case)
        start = self.baselines.start(subject, len(case.prompt))
        path = integrated_gradients(subject, start, self.options.steps, self.options.tolerance)
        found = (path.score, path.baseline, path.values.sum().item(), path.gap)
        names = ("score", "baseline", "sum", "gap")
        complete = path.gap <= self.options.tolerance * max(1, abs(path.score - path.baseline))
        facts = {"steps": path.steps, "complete": complete}
        return {
            "tokens": pieces(case.prompt, self.source.tokenizer),
            "values": rounded(path.values[: len(case.prompt)].tolist()),
            "check": dict(zip(names, rounded(found), strict=True)) | facts,
        }
