"""A lack of memory is one kind of error, whoever notices it."""

from __future__ import annotations

import pytest
import torch

from instructune.memory import memory_errors


def test_torch_on_the_cpu() -> None:
    with pytest.raises(MemoryError, match="allocate memory"), memory_errors():
        torch.empty(1 << 60, dtype=torch.uint8)


def test_torch_on_another_device() -> None:
    with pytest.raises(MemoryError, match="CUDA out of memory"), memory_errors():
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="must match"), memory_errors():
        torch.zeros(2) + torch.zeros(3)
