"""Models unpacked or converted once: a folder each, named by the hash of what it was made from."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from instructune import files
from instructune.commits import committed_directory, io_error
from instructune.errors import UserError
from instructune.jsonl import load_document, pretty

Notify = Callable[[str], None]

FORMAT = 1  # raise it when what is built from the same source changes
_CONTENTS = "contents.json"
_KEY = re.compile(r"[0-9a-f]{64}")


def root() -> Path:
    """`$INSTRUCTUNE_CACHE`, else `instructune` in the user's cache folder."""
    if own := os.environ.get("INSTRUCTUNE_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "instructune"


def find(key: str) -> Path | None:
    """The folder built for `key`, a sha256, or None where there is none or it is damaged."""
    folder = root() / "models" / key
    return folder if _KEY.fullmatch(key) and _is_whole(folder) else None


def entry(key: str, build: Callable[[Path], None], notify: Notify) -> Path:
    """The folder for `key`, filled by `build` if it is not there or damaged.

    Whole or absent, and built once: a second process waits for the first.
    """
    if found := find(key):
        return found
    with locked(key[:16], notify):
        if found := find(key):
            return found
        folder = root() / "models" / key
        with _naming_the_cache(), committed_directory(folder) as temporary:
            build(temporary)
            sizes = {p.name: p.stat().st_size for p in sorted(temporary.iterdir())}
            (temporary / _CONTENTS).write_bytes(pretty({"format": FORMAT, "files": sizes}))
        return folder


def _is_whole(folder: Path) -> bool:
    try:
        contents = load_document((folder / _CONTENTS).read_bytes(), str(folder))
        sizes = contents["files"]
        return contents["format"] == FORMAT and all(
            (folder / name).stat().st_size == size for name, size in sizes.items()
        )
    except (OSError, UserError, KeyError, TypeError, AttributeError):
        return False


@contextmanager
def locked(name: str, notify: Notify) -> Iterator[None]:
    """Hold the lock `name` of the cache; the kernel lets go of it whatever happens to us."""
    folder = root() / "locks"
    with _naming_the_cache():
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            notify("waiting for another process that prepares the same model")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A private folder inside the cache, gone at the end; hold the lock `name` meanwhile.

    The lock makes it safe to remove what a killed process left there.
    """
    folder = root() / "scratch" / name
    with _naming_the_cache():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def recall(name: str) -> dict[str, Any] | None:
    """The small document kept under `name`, if it is there and reads."""
    path = root() / "packages" / f"{name}.json"
    with suppress(OSError, UserError):
        document = load_document(path.read_bytes(), str(path))
        return document if isinstance(document, dict) else None
    return None


def remember(name: str, document: dict[str, Any]) -> None:
    """Keep a small document under `name`."""
    path = root() / "packages" / f"{name}.json"
    with _naming_the_cache():
        path.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(path, pretty(document))


@contextmanager
def _naming_the_cache() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not the system's refusal but some library's complaint
            raise
        refused = io_error(error, str(root()))
        hint = "INSTRUCTUNE_CACHE names another folder for models"
        raise UserError(refused.reason, where=refused.where, hint=hint, code=refused.code) from None
