"""Gradient descent by hand."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from tests.tuning import updates


def test_momentum_by_hand() -> None:
    # what is remembered: 1, then 0.9 * 1 + 2
    assert updates("sgd", 2.0, [1.0, 2.0]) == pytest.approx([1.9, 1.9 - 0.29])
    assert updates("sgd:momentum=0.5", 2.0, [1.0, 2.0]) == pytest.approx([1.9, 1.9 - 0.25])
    assert updates("sgd:momentum=0", 2.0, [1.0, 2.0]) == pytest.approx([1.9, 1.7])


def test_nesterov_by_hand() -> None:
    # the gradient, and 0.9 of what is remembered after it: 1 + 0.9, 2 + 0.9 * 2.9
    assert updates("sgd:nesterov=yes", 2.0, [1.0, 2.0]) == pytest.approx([1.81, 1.81 - 0.461])


def test_weight_decay_is_part_of_the_gradient() -> None:
    # 1 + 0.5 * 2 = 2; then 0.9 * 2 + 0 + 0.5 * 1.8
    assert updates("sgd", 2.0, [1.0, 0.0], decay=0.5) == pytest.approx([1.8, 1.8 - 0.27])


def test_refused() -> None:
    for spec in ("sgd:momentum=1", "sgd:momentum=-0.1", "sgd:momentum=0,nesterov=yes"):
        with pytest.raises(UserError, match=r"optimizer 'sgd': (momentum|nesterov)") as raised:
            updates(spec, 2.0, [])
        assert raised.value.code == 2
