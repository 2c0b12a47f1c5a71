"""Occlusion: how much the answer's log-probability falls without each prompt token or word.

Zeiler and Fergus 2013, arXiv 1311.2901. Positions stay: the embedding alone is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from instructune.attribution.explaining import Case, Source, pieces, rounded, words
from instructune.explainers._baselines import Baselines, Kind

PAPER = "https://arxiv.org/abs/1311.2901"


@dataclass(frozen=True)
class Options:
    """`unit` is what is hidden at a time, under the `baseline` embedding."""

    unit: Literal["token", "word"] = "token"
    baseline: Kind = "mean"


class Explainer:
    """A pass forward for each token or word of the prompt, many at a time."""

    def __init__(self, options: Options, source: Source) -> None:
        self.options, self.source = options, source
        self.baselines = Baselines(options.baseline, source.tokenizer.pad_id)

    def __call__(self, case: Case) -> dict[str, Any]:
        """A value for each token or word of the prompt; `check.baseline` is without any."""
        from instructune.attribution.attributions import occlusion, of_case

        tokenizer = self.source.tokenizer
        if self.options.unit == "word":
            texts, groups = words(case.prompt, tokenizer)
        else:
            texts = pieces(case.prompt, tokenizer)
            groups = [[i] for i in range(len(case.prompt))]
        subject = of_case(self.source.model, case)
        values, score, baseline = occlusion(subject, self.baselines.embedding(subject), groups)
        found = rounded([score, baseline, values.double().sum().item()])
        return {
            "tokens": texts,
            "values": rounded(values.tolist()),
            "check": dict(zip(("score", "baseline", "sum"), found, strict=True)),
        }
