"""Plain text: a row a line, as `text`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from instructune.containers._lines import is_blank, lines
from instructune.errors import usage
from instructune.jsonl import BadRow, Row, as_text

EXTENSIONS = (".txt", ".text")
TEXT = True


@dataclass(frozen=True)
class Options:
    """`comment`: how lines to pass over begin. `file_as`: a column for the file's name.

    With a file for each class, `file_as=label` labels their lines.
    """

    comment: str = ""
    file_as: str = ""

    def __post_init__(self) -> None:
        if self.file_as == "text":
            raise usage("file_as cannot be text, which is the line", where="--container text")


def read(
    stream: BinaryIO, name: str, options: Options = Options()
) -> Iterator[Row | BadRow | None]:
    """Yield each line without its end; None for blank lines and comments."""
    more = {options.file_as: Path(name).name.partition(".")[0]} if options.file_as else {}
    for line in lines(stream):
        if is_blank(line) or (options.comment and line.text.startswith(options.comment)):
            yield None
            continue
        where = f"{name}:{line.number}"
        if line.fault:
            yield BadRow(where, line.fault, as_text(line.raw))
        else:
            text = line.text.removesuffix("\n").removesuffix("\r")
            yield Row(where, {"text": text} | more, line.raw)
