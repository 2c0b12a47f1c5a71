"""AdamW by hand; against torch's in `tests/training/test_optimizers.py`."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from tests.tuning import updates


def by_hand(beta1: float, beta2: float, eps: float, decay: float) -> list[float]:
    weight, first, second, found = 2.0, 0.0, 0.0, []
    for t, gradient in enumerate((0.25, -0.5), start=1):
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        step = (first / (1 - beta1**t)) / ((second / (1 - beta2**t)) ** 0.5 + eps)
        weight = weight * (1 - 0.1 * decay) - 0.1 * step
        found.append(weight)
    return found


@pytest.mark.parametrize(
    ("spec", "numbers"),
    [
        ("adamw", (0.9, 0.999, 1e-8)),
        ("adamw:beta1=0.5", (0.5, 0.999, 1e-8)),
        ("adamw:beta2=0.9", (0.9, 0.9, 1e-8)),
        ("adamw:eps=0.5", (0.9, 0.999, 0.5)),
    ],
)
def test_two_steps_by_hand(spec: str, numbers: tuple[float, float, float]) -> None:
    found = updates(spec, 2.0, [0.25, -0.5], decay=0.5)
    assert found == pytest.approx(by_hand(*numbers, decay=0.5), rel=1e-6)


def test_refused() -> None:
    for option in ("beta1=1", "beta2=-0.5", "eps=0"):
        with pytest.raises(UserError, match="optimizer 'adamw': ") as raised:
            updates(f"adamw:{option}", 2.0, [])
        assert raised.value.code == 2
