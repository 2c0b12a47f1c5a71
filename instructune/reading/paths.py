"""Sources as typed to files: directories and patterns expanded, in an order of our own."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from instructune.commits import io_error
from instructune.errors import Exit, UserError

STDIO = "-"
_MANIFEST = ".manifest.json"


def expanded(names: Iterable[str]) -> list[str]:
    """The files that `names` stand for, in the order typed.

    A directory stands for all files below it but hidden ones and manifests beside their
    artifact; a name with `*` or `?` that is no file itself for those that it matches
    (`**`: in any folder). Each group is sorted by the bytes of its names.
    """
    return [file for name in names for file in _files(name)]


def _files(name: str) -> list[str]:
    if name == STDIO:
        return [name]
    if _mode(name) is None and any(mark in name for mark in "*?"):
        found = [
            path
            for path in glob.iglob(name, recursive=True)  # noqa: PTH207
            if not stat.S_ISDIR(_mode(path) or 0) and not _is_manifest(path, name)
        ]
        missing = "no file matches"
    elif stat.S_ISDIR(_mode(name) or 0):
        found, missing = list(_below(name, set())), "no files in this directory"
    else:
        return [name]
    if not found:
        raise UserError(missing, where=name, code=Exit.NO_INPUT)
    return sorted(set(found), key=os.fsencode)


def _mode(name: str) -> int | None:
    with suppress(OSError, ValueError):
        return Path(name).stat().st_mode
    return None


def _below(folder: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    """Files below a folder; links are followed, but no folder is entered twice."""
    try:
        info = Path(folder).stat()
        entries = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError as error:
        raise io_error(error, folder) from None
    if (info.st_dev, info.st_ino) in seen:
        return
    seen.add((info.st_dev, info.st_ino))
    for entry in entries:
        path = os.path.join(folder, entry)  # noqa: PTH118 - "./x" stays as typed
        mode = _mode(path)
        if entry.startswith(".") or _is_manifest(path):
            continue
        if mode is not None and stat.S_ISDIR(mode):
            yield from _below(path, seen)
        elif mode is None or stat.S_ISREG(mode):  # a broken link is told when it is opened
            yield path


def _is_manifest(path: str, pattern: str = "") -> bool:
    artifact = path.removesuffix(_MANIFEST)
    return artifact != path and not pattern.endswith(_MANIFEST) and _mode(artifact) is not None
