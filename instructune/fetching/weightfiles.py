"""The safetensors files of a model folder: which they are, that they are whole, what they hold."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from instructune.errors import Exit, UserError
from instructune.jsonl import load_document

MODEL, ADAPTER = "model", "adapter_model"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".msgpack", ".h5")
_WHOLE = 64 << 20  # bytes; larger files are hashed in samples
_EDGE, _SAMPLE = 1 << 20, 1 << 10
_MAX_HEADER = 100_000_000  # the format's own limit


def weight_files(folder: Path, stem: str = MODEL) -> list[Path]:
    """`model.safetensors`, or the shards its index names; each checked for its length.

    Raises UserError where there are none, a shard is missing, or only pickles are there.
    """
    single, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if single.is_file():
        found = [single]
    elif index.is_file():
        found = _shards(index)
    else:
        raise _no_weights(folder, stem)
    for path in found:
        header(path)
    return found


def _shards(index: Path) -> list[Path]:
    document = load_document(index.read_bytes(), str(index))
    weight_map = document.get("weight_map") if isinstance(document, dict) else None
    if not isinstance(weight_map, dict) or not weight_map:
        raise UserError("names no shards", where=str(index))
    names = sorted(set(map(str, weight_map.values())))
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise UserError(f"names a shard outside its folder: {name!r}", where=str(index))
        if not (index.parent / name).is_file():
            raise UserError(f"the shard {name} is missing", where=str(index), code=Exit.NO_INPUT)
    return [index.parent / name for name in names]


def _no_weights(folder: Path, stem: str) -> UserError:
    pickles = sorted(p.name for p in folder.iterdir() if p.suffix in PICKLES)
    if pickles:
        return UserError(
            f"holds no {stem}.safetensors but {pickles[0]}, and loading that can run code",
            where=str(folder),
            hint="convert it to safetensors where you trust it: load it, then save_pretrained",
        )
    return UserError(
        f"no {stem}.safetensors",
        where=str(folder),
        hint="-m takes a folder with config.json, model.safetensors and tokenizer.json",
        code=Exit.NO_INPUT,
    )


def header(path: Path) -> dict[str, dict[str, Any]]:
    """Each tensor's `dtype`, `shape` and `data_offsets`; raises UserError on a damaged file."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(_MAX_HEADER, size - 8):
            raise UserError("not a safetensors file, or cut short", where=str(path))
        table = load_document(stream.read(length), str(path))
    if not isinstance(table, dict):
        raise UserError("not a safetensors file", where=str(path))
    table.pop("__metadata__", None)
    try:
        end = max((tensor["data_offsets"][1] for tensor in table.values()), default=0)
    except (TypeError, KeyError, IndexError):
        raise UserError("not a safetensors file", where=str(path)) from None
    if end != size - 8 - length:
        raise UserError(
            f"is {size} bytes long where its header says {end + 8 + length}",
            where=str(path),
            hint="it was cut short: fetch or copy it again",
        )
    return table


def digest(path: Path) -> str:
    """64 hex digits that change with the weights, without reading all of a large file.

    Files up to 64 MiB are hashed whole; of larger ones the header, the size, the first and the
    last MiB and the first KiB of each tensor.
    """
    size = path.stat().st_size
    sha256 = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        if size <= _WHOLE:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        start = 8 + int.from_bytes(os.pread(stream.fileno(), 8, 0), "little")
        starts = sorted(start + t["data_offsets"][0] for t in header(path).values())
        spans = [(0, start), (start, _EDGE), *((at, _SAMPLE) for at in starts)]
        for at, length in (*spans, (size - _EDGE, _EDGE)):
            sha256.update(os.pread(stream.fileno(), length, at))
    sha256.update(str(size).encode())
    return sha256.hexdigest()
