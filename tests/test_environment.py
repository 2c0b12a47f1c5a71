from __future__ import annotations

from instructune.environment import before_torch


def test_huge_pages_are_asked_for_unless_the_user_decided(monkeypatch):
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE", raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    before_torch()
    import os

    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "0"
