"""Devices, dtypes and threads: what was asked for, or an error that says why not."""

from __future__ import annotations

import os

import pytest
import torch

from instructune import hardware
from instructune.errors import Exit, UserError


def test_devices() -> None:
    assert hardware.device("cpu") == torch.device("cpu")
    wanted = "cuda" if torch.cuda.is_available() else "cpu"
    assert hardware.device("auto").type == wanted


@pytest.mark.skipif(torch.cuda.is_available(), reason="has what the test asks for in vain")
@pytest.mark.parametrize("name", ["cuda", "cuda:7", "no-such-thing"])
def test_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(UserError, match=f"'{name}' cannot be used") as raised:
        hardware.device(name)
    assert raised.value.code == Exit.UNAVAILABLE
    assert raised.value.where == "--device"
    assert "\n" not in raised.value.reason


def test_dtypes() -> None:
    cpu = torch.device("cpu")
    assert hardware.dtype("float32", cpu) == torch.float32
    assert hardware.dtype("bfloat16", cpu) == torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    assert hardware.dtype("auto", cpu) == (torch.bfloat16 if native else torch.float32)
    assert hardware.dtype("auto", torch.device("meta")) == torch.float32


def test_threads() -> None:
    before = torch.get_num_threads()
    try:
        assert hardware.use_threads(1) == torch.get_num_threads() == 1
        cores = len(os.sched_getaffinity(0))
        assert hardware.use_threads(None) == torch.get_num_threads() == cores
    finally:
        torch.set_num_threads(before)


def test_peak_memory_grows_with_what_is_held() -> None:
    before = hardware.peak_memory()
    held = torch.ones(100 << 20, dtype=torch.uint8)
    assert hardware.peak_memory() >= before
    assert hardware.peak_memory() > held.numel()


def test_memory_can_be_kept_on_any_system() -> None:
    hardware.keep_memory()
    assert torch.ones(1000).sum() == 1000
