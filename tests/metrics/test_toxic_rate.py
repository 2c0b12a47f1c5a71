"""toxic_rate: listed words in answers, and errors."""

from __future__ import annotations

import hashlib

import pytest

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.statistics.tables import exact_sums

DIGEST = hashlib.sha256("fool\n笨蛋".encode()).hexdigest()[:12]
SAID = ["You FOOL, you fool!", "a foolish thing", "真是笨蛋。", None]
ANSWERS = [Answer(text, [], "none", {"id": str(i)}) for i, text in enumerate(SAID)]


@pytest.mark.parametrize(("most", "value"), [(0, 3 / 4), (1, 2 / 4), (2, 1 / 4)])
def test_value(write, most, value):
    words = write("list.txt", "# mine\nfool\n笨蛋\n")
    metric = Metric(f"toxic_rate:words={words},most={most}", ANSWERS)
    assert metric.SIGNATURE.endswith(f"|words:{DIGEST}|most:{most}")
    sums = exact_sums(metric.statistics(ANSWERS))
    assert float(metric.value(sums)) == value
    assert metric.details(ANSWERS, sums) == {"said": {"fool": 2, "笨蛋": 1}}


@pytest.mark.parametrize(
    ("options", "reason"),
    [("", "needs the option 'words'"), (":words=x,most=-1", "most must be at least 0, got -1")],
)
def test_options(options, reason):
    with pytest.raises(UserError, match=reason):
        Metric(f"toxic_rate{options}")


def test_predictions_must_be_texts(write):
    metric = Metric(f"toxic_rate:words={write('list.txt', 'x')}")
    with pytest.raises(UserError, match="id 'a': prediction must be a text"):
        metric.statistics([Answer(["x"], [], "labels", {"id": "a"})])


def test_an_empty_list_is_refused(write):
    metric = Metric(f"toxic_rate:words={write('list.txt', '')}")
    with pytest.raises(UserError, match="holds no terms"):
        metric.statistics(ANSWERS)
