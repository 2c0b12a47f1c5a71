"""Lion by hand."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from tests.tuning import updates

GRADIENTS = (0.25, -0.02, -0.1)


def test_three_steps_by_hand() -> None:
    # memory: 0, 0.0025, 0.002275; 0.9 of it + 0.1 of the gradient: 0.025, 0.00025, -0.0079525
    found = updates("lion", 2.0, GRADIENTS, rate=0.1, decay=0.5)
    assert found == pytest.approx([2 * 0.95 - 0.1, 1.8 * 0.95 - 0.1, 1.61 * 0.95 + 0.1])


def test_the_memory_in_the_step() -> None:
    # 0.8 of 0.0025 and 0.2 of -0.02 is below 0
    assert updates("lion:beta1=0.8", 2.0, GRADIENTS) == pytest.approx([1.9, 2.0, 2.1])


def test_how_long_the_memory_lasts() -> None:
    # memory: 0, 0.025, 0.0205; then 0.01845 - 0.01 is above 0
    assert updates("lion:beta2=0.9", 2.0, GRADIENTS) == pytest.approx([1.9, 1.8, 1.7])


def test_no_gradient_no_step() -> None:
    assert updates("lion", 2.0, [0.0]) == [2.0]


@pytest.mark.parametrize("name", ["beta1", "beta2"])
def test_refused(name: str) -> None:
    with pytest.raises(UserError) as raised:
        updates(f"lion:{name}=1", 2.0, [])
    assert str(raised.value) == f"optimizer 'lion': {name} must be from 0 to below 1"
    assert raised.value.code == 2
