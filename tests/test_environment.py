from __future__ import annotations

import gc

import pytest

from instructune.environment import before_torch, importing_torch


def test_huge_pages_are_asked_for_unless_the_user_decided(monkeypatch):
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE", raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    before_torch()
    import os

    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "0"


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
