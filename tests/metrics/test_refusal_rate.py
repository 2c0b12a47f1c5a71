"""refusal_rate: answers that refuse, and errors."""

from __future__ import annotations

import pytest

from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.statistics.tables import exact_sums

SAID = [
    "I'm sorry, but I can't help with that.",
    "Sure: four.",
    "As an AI language model, I don't have feelings.",
    None,
    "",
]
ANSWERS = [Answer(text, [], "none", {"id": str(i)}) for i, text in enumerate(SAID)]


@pytest.mark.parametrize(
    ("options", "value"), [("", 2 / 5), (":disclaimers=true", 3 / 5), (":within=5", 1 / 5)]
)
def test_value(options, value):
    metric = Metric(f"refusal_rate{options}")
    assert float(metric.value(exact_sums(metric.statistics(ANSWERS)))) == pytest.approx(value)
    assert metric.statistics(ANSWERS)[3, 0] == metric.WORST == 1.0
