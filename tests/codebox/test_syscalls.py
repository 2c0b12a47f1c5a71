"""syscalls: failures are raised with what was tried."""

from __future__ import annotations

import os

import pytest

from instructune.codebox import syscalls


def test_failures_are_told(tmp_path):
    with pytest.raises(OSError, match=f"mount {tmp_path}/nowhere: "):
        syscalls.mount("tmpfs", f"{tmp_path}/nowhere", "tmpfs")
    with pytest.raises(OSError, match="umount "):
        syscalls.detach(f"{tmp_path}/nowhere")
    with pytest.raises(OSError, match="unshare 0x1: Invalid argument"):
        syscalls.unshare(1)
    with pytest.raises(OSError, match="prctl 9999"):
        syscalls.prctl(9999)


def test_unknown_machines_have_no_sandbox(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("", "", "", "", "riscv64")))
    with pytest.raises(OSError, match="riscv64"):
        syscalls.pivot_root("new", "old")
