"""Training state to a directory and back: whole or absent, verified before it is believed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
_ERRNO = re.compile(r"os error (\d+)")

Check = Callable[[dict[str, Any]], str | None]


def name_of(step: int) -> str:
    """`step-000100`."""
    return f"step-{step:06d}"


def save(folder: Path, step: int, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> Path:
    """Write `folder/step-N`: files, then a manifest of their hashes, then one rename.

    Safetensors and JSON only: nothing in a checkpoint can run code.
    """
    target = folder / name_of(step)
    with files.committed_directory(target) as temporary, disk_errors():
        save_file({k: v.contiguous() for k, v in tensors.items()}, temporary / TENSORS)
        (temporary / STATE).write_bytes(pretty(state))
        hashes = {name: files.sha256_file(temporary / name) for name in (TENSORS, STATE)}
        (temporary / MANIFEST).write_bytes(pretty({"step": step, "sha256": hashes}))
    return target


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn what the safetensors library says of a full disk into the OSError that it was."""
    try:
        yield
    except SafetensorError as error:
        if found := _ERRNO.search(str(error)):
            number = int(found[1])
            raise OSError(number, os.strerror(number)) from None
        raise


def fault(path: Path, check: Check | None = None) -> str | None:
    """Say why the checkpoint cannot be trusted, or None; `check` may object to its state."""
    try:
        manifest = load_document((path / MANIFEST).read_bytes(), str(path / MANIFEST))
        hashes = manifest["sha256"]
        if set(hashes) != {TENSORS, STATE}:
            return "manifest lists other files"
        for name, digest in hashes.items():
            if files.sha256_file(path / name) != digest:
                return f"{name} is damaged"
        if name_of(manifest["step"]) != path.name:
            return f"is the checkpoint of step {manifest['step']}"
    except (FileNotFoundError, IsADirectoryError) as error:
        return f"{Path(error.filename).name} is missing"
    except OSError as error:
        raise files.io_error(error, str(path)) from None
    except (UserError, KeyError, TypeError, ValueError, AttributeError):
        return f"{MANIFEST} is damaged"
    return check(_state(path)) if check else None


def _state(path: Path) -> Any:
    return load_document((path / STATE).read_bytes(), str(path / STATE))


def load(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and the state of a checkpoint that `fault` found none in."""
    try:
        return load_file(path / TENSORS), _state(path)
    except SafetensorError as error:
        raise UserError(str(error), where=str(path / TENSORS)) from None


def listed(folder: Path) -> list[Path]:
    """All checkpoints, newest first, damaged ones too."""
    found = [p for p in folder.glob("step-*") if _NAME.fullmatch(p.name) and p.is_dir()]
    return sorted(found, key=step_of, reverse=True)


def step_of(path: Path) -> int:
    """The step in a checkpoint's name."""
    return int(path.name.removeprefix("step-"))


def newest(folder: Path, check: Check | None = None) -> tuple[Path | None, list[str]]:
    """The newest checkpoint that verifies, and what was wrong with those passed over."""
    skipped: list[str] = []
    for path in listed(folder):
        reason = fault(path, check)
        if reason is None:
            return path, skipped
        skipped.append(f"{path}: {reason}")
    return None, skipped


def prune(folder: Path, step: int, keep: int, spare: set[str]) -> None:
    """Remove what is no longer needed after `step` was saved, and what crashes left.

    The newest `keep` up to `step` stay, and those named in `spare`. Later ones are those that
    were passed over when the run was resumed, so their steps have been or will be done anew.
    """
    for pattern in (".tmp-*", ".old-*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)
    old = [path for path in listed(folder) if step_of(path) <= step][keep:]
    later = [path for path in listed(folder) if step_of(path) > step]
    for path in old + later:
        if path.name not in spare:
            doomed = path.with_name(f".old-{path.name}")  # no half of it under its final name
            path.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)


def point(link: Path, target: Path) -> None:
    """Make `link` a relative symbolic link to `target`, in one step."""
    temporary = link.with_name(f".{link.name}.tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()
    temporary.symlink_to(os.path.relpath(target, link.parent))
    os.replace(temporary, link)  # noqa: PTH105
