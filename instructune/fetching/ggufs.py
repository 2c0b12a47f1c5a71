"""The head of a GGUF file: metadata and tensor table, read within the bounds of the file."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any, NamedTuple

from instructune.errors import UserError

MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
_SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}  # as struct has them
_DEPTH = 4  # arrays in arrays


class Tensor(NamedTuple):
    """A tensor's ggml type number, how many values it holds, and its bytes in the file."""

    kind: int
    elements: int
    offset: int
    size: int


class Head(NamedTuple):
    """All metadata by key, arrays as lists; all tensors by name."""

    metadata: dict[str, Any]
    tensors: dict[str, Tensor]


def is_gguf(path: Path) -> bool:
    """Whether the file begins as a GGUF file does, whatever it is called."""
    with open(path, "rb") as stream:
        return stream.read(4) == MAGIC


def read_head(path: Path) -> Head:
    """Read everything but the tensors; raises UserError (65) on a damaged or cut file.

    Counts and lengths come from the file, so each is checked against the bytes that are left
    before anything is read or reserved for it.
    """
    try:
        with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as view:
            return _head(_Cursor(view))
    except (ValueError, UnicodeDecodeError, struct.error) as error:
        raise UserError(
            f"not a whole GGUF file ({error})", where=str(path), hint="fetch or copy it again"
        ) from None


class _Cursor:
    """A position in the file that never leaves it."""

    def __init__(self, view: mmap.mmap) -> None:
        self.view, self.size, self.at = view, len(view), 0

    def take(self, count: int) -> bytes:
        if count > self.size - self.at:
            raise ValueError(f"{count} bytes wanted at {self.at}, {self.size - self.at} are left")
        self.at += count
        return self.view[self.at - count : self.at]

    def numbers(self, code: str, count: int = 1) -> tuple[Any, ...]:
        return struct.unpack(f"<{count}{code}", self.take(count * struct.calcsize("<" + code)))

    def text(self) -> str:
        return self.take(self.numbers("Q")[0]).decode("utf-8")

    def count(self, least: int) -> int:
        """A number of things of at least `least` bytes each."""
        found = self.numbers("Q")[0]
        if found * least > self.size - self.at:
            raise ValueError(f"{found} entries cannot lie in {self.size - self.at} bytes")
        return found

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind in _SCALARS:
            return self.numbers(_SCALARS[kind])[0]
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY or depth > _DEPTH:
            raise ValueError(f"unknown type {kind} at {self.at}")
        inner = self.numbers("I")[0]
        if inner in _SCALARS:
            count = self.count(struct.calcsize("<" + _SCALARS[inner]))
            return list(self.numbers(_SCALARS[inner], count))
        return [self.value(inner, depth + 1) for _ in range(self.count(8))]


def _head(cursor: _Cursor) -> Head:
    if cursor.take(4) != MAGIC:
        raise ValueError("it does not begin with GGUF")
    version = cursor.numbers("I")[0]
    if version not in (2, 3):
        raise ValueError(f"version {version}, where 2 and 3 are known")
    tensor_count, pairs = cursor.numbers("Q", 2)
    if 24 * tensor_count + 12 * pairs > cursor.size:
        raise ValueError("more entries than bytes")
    metadata = {}
    for _ in range(pairs):
        key = cursor.text()
        metadata[key] = cursor.value(cursor.numbers("I")[0])
    table = [_tensor(cursor) for _ in range(tensor_count)]
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1:
        raise ValueError(f"alignment {alignment}")
    start = -(-cursor.at // alignment) * alignment
    tensors = {name: tensor._replace(offset=start + tensor.offset) for name, tensor in table}
    if len(tensors) != len(table):
        raise ValueError("two tensors of the same name")
    for name, tensor in tensors.items():
        if tensor.offset + tensor.size > cursor.size:
            raise ValueError(f"{name} ends behind the file's end")
    return Head(metadata, tensors)


def _tensor(cursor: _Cursor) -> tuple[str, Tensor]:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    name = cursor.text()
    dimensions = cursor.numbers("I")[0]
    if dimensions > 8:
        raise ValueError(f"{name} has {dimensions} dimensions")
    elements = 1
    for length in cursor.numbers("Q", dimensions):
        elements *= length
    kind, offset = cursor.numbers("IQ")
    if kind not in GGMLQuantizationType._value2member_map_:
        raise ValueError(f"{name} has the unknown type {kind}")
    block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    return name, Tensor(kind, elements, offset, elements // block * size)
