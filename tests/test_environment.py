"""environment: what is set for torch, and what is left as the user has it."""

from __future__ import annotations

import gc
import os

import pytest

from instructune.environment import before_torch, importing_torch


def test_huge_pages_are_asked_for_unless_the_user_decided(monkeypatch):
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE", raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    before_torch()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "0"


def test_threads_do_not_spin_unless_the_user_decided(monkeypatch):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    before_torch()
    assert os.environ["GOMP_SPINCOUNT"] == "1000"
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
