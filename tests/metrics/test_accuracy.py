"""accuracy: the share of rows whose label is right."""

from __future__ import annotations

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics import metrics

accuracy = metrics["accuracy"]


def test_labels_are_compared_without_surrounding_white_space_and_with_case():
    answers = [
        Answer("yes", ["yes"], "label"),
        Answer(" yes\n", ["yes "], "label"),
        Answer("Yes", ["yes"], "label"),
        Answer(None, ["yes"], "label"),
        Answer("no", ["yes", "no"], "label"),
    ]
    table = accuracy.statistics(answers)
    assert table[:, 0].tolist() == [1, 1, 0, 0, 1]
    assert accuracy.value(table.sum(axis=0)) == 0.6


def test_value_keeps_the_axis_of_resamples():
    assert accuracy.value(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [0.5, 0.75]
