"""classes: labels as numbers, those that may be new, and the weights that make them count alike."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from instructune.errors import UserError
from instructune.training.classes import Classes, balanced, read_labels


def test_numbers_in_the_order_in_which_labels_come():
    classes = Classes(["z"])
    assert [classes.number(label, learns=True) for label in ("a", "z", "a", "b")] == [1, 0, 1, 2]
    assert classes.labels == ["z", "a", "b"]
    assert classes.counts == {0: 1, 1: 2, 2: 1}
    assert classes.number("b", learns=False) == 2
    assert classes.counts[2] == 1


@pytest.mark.parametrize("fixed", [True, False])
def test_a_label_that_may_not_be_new(fixed):
    classes = Classes(["sport", "news"], fixed=fixed)
    with pytest.raises(UserError, match="'sports' is none of those") as raised:
        classes.number("sports", learns=fixed)
    assert raised.value.hint == "did you mean 'sport'?"


def test_labels_of_a_file(write):
    assert read_labels(write("l.txt", "\ufeffb\n\n a \nb\n")) == ["b", "a"]
    with pytest.raises(UserError, match="two different labels"):
        read_labels(write("one.txt", "b\nb\n"))


def test_balanced_as_in_scikit_learn():
    from sklearn.utils.class_weight import compute_class_weight

    labels = [0, 0, 0, 1, 3, 3]
    wanted = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=labels)
    assert balanced(Counter(labels), 4) == pytest.approx([wanted[0], wanted[1], 1.0, wanted[2]])
