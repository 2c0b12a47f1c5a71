"""What this machine computes best with: dtype, threads, memory kept between steps."""

from __future__ import annotations

import ctypes
import os
import resource

import torch

from instructune.errors import Exit, UserError

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # from glibc's malloc.h


def device(asked: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(asked)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"{asked!r} cannot be used: {reason}", where="--device", code=Exit.UNAVAILABLE
        ) from None
    return found


def dtype(asked: str, on: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it natively, else float32."""
    if asked != "auto":
        return getattr(torch, asked)
    if on.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if on.type == "cpu":
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return torch.bfloat16 if native else torch.float32
    return torch.float32


def use_threads(count: int | None) -> int:
    """Compute with `count` CPU threads (default: the cores this process may use)."""
    wanted = count or len(os.sched_getaffinity(0))
    torch.set_num_threads(wanted)
    return wanted


def keep_memory() -> None:
    """Keep freed tensors mapped: else every step page-faults its big tensors anew.

    Only glibc knows these settings; elsewhere nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)
    mallopt(_M_TOP_PAD, 64 << 20)


def peak_memory() -> int:
    """Most bytes this process held at once."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
