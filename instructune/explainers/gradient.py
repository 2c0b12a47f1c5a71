"""Gradient times input: how the answer's log-probability changes with each prompt token.

Simonyan et al. 2013, arXiv 1312.6034; Shrikumar et al. 2016, arXiv 1605.01713.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instructune.attribution.explaining import Case, Source, pieces, rounded
from instructune.explainers._baselines import Baselines, Kind

PAPER = "https://arxiv.org/abs/1605.01713"


@dataclass(frozen=True)
class Options:
    """`baseline` is what a token's embedding is told from: `zero` is the plain product."""

    baseline: Kind = "zero"


class Explainer:
    """One pass forward and one back; the sum is a first-order guess at score - baseline."""

    def __init__(self, options: Options, source: Source) -> None:
        self.source = source
        self.baselines = Baselines(options.baseline, source.tokenizer.pad_id)

    def __call__(self, case: Case) -> dict[str, Any]:
        """A value for each token of the prompt."""
        from instructune.attribution.attributions import gradient_by_input, of_case

        subject = of_case(self.source.model, case)
        start = self.baselines.start(subject, len(case.prompt))
        values = gradient_by_input(subject, start)[: len(case.prompt)]
        own = subject.embeddings()
        score, baseline = (subject.scores(x[None]).item() for x in (own, start))
        total = values.double().sum().item()
        names = ("score", "baseline", "sum")
        return {
            "tokens": pieces(case.prompt, self.source.tokenizer),
            "values": rounded(values.tolist()),
            "check": dict(zip(names, rounded([score, baseline, total]), strict=True)),
        }
