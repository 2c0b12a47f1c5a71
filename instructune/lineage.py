"""Manifests: what an artifact is made of, and the fingerprints that tie artifacts together."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instructune import __version__, files
from instructune.jsonl import dumps, pretty

SUFFIX = ".manifest.json"
_SPEC = re.compile(r"\w+:\w+=")  # a plug-in and its options, of which some are paths
_FOLDERS = re.compile(r"(?<=[=+])/(?:[^/,+]*/)*")


def fingerprint(value: Any) -> str:
    """16 hex digits of any JSON value, whatever the order of its keys."""
    return hashlib.sha256(dumps(_sorted(value))).hexdigest()[:16]


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


def versions(*packages: str) -> dict[str, str]:
    """Versions of instructune and of the named packages."""
    return {"instructune": __version__} | {p: importlib.metadata.version(p) for p in packages}


def plain(config: Any) -> dict[str, Any]:
    """A config as JSON: what no artifact depends on left out, paths reduced to names.

    No manifest holds a machine's folders.
    """
    counts = [f.name for f in dataclasses.fields(config) if f.metadata.get("counts", True)]
    return {name: shortened(getattr(config, name)) for name in counts}


def shortened(value: Any) -> Any:
    """A path without the folders of this machine; anything else as it is."""
    if isinstance(value, str):
        if value.startswith("/"):
            value = Path(value).name
        elif _SPEC.match(value):
            value = _FOLDERS.sub("", value)
        return files.shown(value)
    if isinstance(value, tuple | list):
        return [shortened(item) for item in value]
    return value


def write_manifest(
    path: str, *, artifact: str, rows: int, config: Any, inputs: Mapping[str, str], **more: Any
) -> None:
    """Write the manifest of the file `artifact`; no clock, host or process in it."""
    manifest = {
        "artifact": files.shown(Path(artifact).name),
        "sha256": files.sha256_file(artifact) if Path(artifact).is_file() else None,
        "rows": rows,
        "config": plain(config),
        "inputs": by_name(inputs),
        "versions": versions(),
    } | more
    files.write_bytes(path, pretty(manifest))


def by_name(inputs: Mapping[str, str]) -> dict[str, str]:
    """Hashes by file name; files of one name in two folders are numbered."""
    named: dict[str, str] = {}
    for path, digest in inputs.items():
        name, number = shortened(path), 1
        while name in named:
            number += 1
            name = f"{shortened(path)} ({number})"
        named[name] = digest
    return named


def manifest_path(output: str, asked: str | None) -> str | None:
    """Where the manifest goes: beside a file, nowhere for a pipe unless asked for."""
    if asked:
        return asked
    return None if output == files.STDIO or not Path(output).is_file() else output + SUFFIX
