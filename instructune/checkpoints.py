"""Training state to a directory and back: whole or absent, verified before it is believed."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from instructune import files
from instructune.errors import UserError
from instructune.jsonl import load_document, pretty

MANIFEST = "MANIFEST.json"
TENSORS, STATE = "state.safetensors", "state.json"
_NAME = re.compile(r"step-(\d{6,})")


def name_of(step: int) -> str:
    """`step-000100`."""
    return f"step-{step:06d}"


def save(folder: Path, step: int, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> Path:
    """Write `folder/step-N`: files, then a manifest of their hashes, then one rename.

    Safetensors and JSON only: nothing in a checkpoint can run code.
    """
    target = folder / name_of(step)
    with files.committed_directory(target) as temporary:
        save_file({k: v.contiguous() for k, v in tensors.items()}, temporary / TENSORS)
        (temporary / STATE).write_bytes(pretty(state))
        hashes = {name: files.sha256_file(temporary / name) for name in (TENSORS, STATE)}
        (temporary / MANIFEST).write_bytes(pretty({"step": step, "sha256": hashes}))
    return target


def fault(path: Path) -> str | None:
    """Say why the checkpoint cannot be trusted, or None."""
    try:
        manifest = load_document((path / MANIFEST).read_bytes(), str(path / MANIFEST))
        hashes = manifest["sha256"]
        if set(hashes) != {TENSORS, STATE}:
            return "manifest lists other files"
        for name, digest in hashes.items():
            if files.sha256_file(path / name) != digest:
                return f"{name} is damaged"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (UserError, KeyError, TypeError, AttributeError):
        return f"{MANIFEST} is damaged"
    return None


def load(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and the state of a checkpoint that `fault` found none in."""
    try:
        return load_file(path / TENSORS), load_document(
            (path / STATE).read_bytes(), str(path / STATE)
        )
    except SafetensorError as error:
        raise UserError(str(error), where=str(path / TENSORS)) from None


def listed(folder: Path) -> list[Path]:
    """All checkpoints, newest first, damaged ones too."""
    found = [p for p in folder.glob("step-*") if _NAME.fullmatch(p.name) and p.is_dir()]
    return sorted(found, key=lambda p: int(p.name[5:]), reverse=True)


def newest(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest checkpoint that verifies, and what was wrong with those passed over."""
    skipped = []
    for path in listed(folder):
        reason = fault(path)
        if reason is None:
            return path, skipped
        skipped.append(f"{path}: {reason}")
    return None, skipped


def prune(folder: Path, keep: int, spare: set[str]) -> None:
    """Remove all but the newest `keep` and those named in `spare`, and what crashes left."""
    for path in listed(folder)[keep:]:
        if path.name not in spare:
            shutil.rmtree(path)
    for pattern in (".tmp-*", ".old-*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def point(link: Path, target: Path) -> None:
    """Make `link` a relative symbolic link to `target`, in one step."""
    temporary = link.with_name(f".{link.name}.tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()
    temporary.symlink_to(os.path.relpath(target, link.parent))
    os.replace(temporary, link)  # noqa: PTH105
