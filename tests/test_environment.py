"""environment: what is set for torch, and what is left as the user has it."""

from __future__ import annotations

import gc
import os

import pytest

from instructune import environment
from instructune.environment import before_torch, importing_torch


def test_huge_pages_are_asked_for_unless_the_user_decided(monkeypatch):
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE", raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    before_torch()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "0"


@pytest.mark.parametrize(
    ("running", "spins"), [([2, 3, 2], "1000"), ([2, 1, 2], "30000"), ([1, 1, 1], "30000")]
)
def test_threads_spin_where_nothing_else_runs(monkeypatch, running, spins):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    moments = iter(running)
    monkeypatch.setattr(environment, "_running", lambda: next(moments))
    before_torch()
    assert os.environ["GOMP_SPINCOUNT"] == spins


def test_who_runs(monkeypatch):
    assert environment._running() >= 1
    monkeypatch.setattr(environment.Path, "read_text", lambda path: "0.1 0.2 0.3 5/300 77")
    assert environment._running() == 5
    monkeypatch.setattr(environment.Path, "read_text", lambda path: "nothing")
    assert environment._running() == 1


def test_the_user_decides_how_threads_wait(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    before_torch()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    before_torch()
    assert "GOMP_SPINCOUNT" not in os.environ


@pytest.mark.parametrize("collects", [True, False])
def test_nothing_is_collected_while_torch_is_imported(collects):
    gc.enable() if collects else gc.disable()
    frozen = gc.get_freeze_count()
    made: list[object] = []
    try:
        with pytest.raises(ImportError), importing_torch():
            assert not gc.isenabled()
            made.append([made])
            raise ImportError
        assert gc.isenabled() is collects
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
        gc.enable()
