"""Two text files side by side, line by line, such as a text and its translation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import BinaryIO

from instructune.containers._lines import is_blank, lines
from instructune.errors import UserError, usage
from instructune.jsonl import BadRow, Row, as_text

EXTENSIONS = ()
TEXT = True


@dataclass(frozen=True)
class Options:
    """`other`: the file beside the source. `names`: what to call the two columns."""

    other: str
    names: tuple[str, ...] = ("source", "target")

    def __post_init__(self) -> None:
        if len(set(self.names)) != 2:
            raise usage("names must be two, as in names=en+zh", where="--container parallel")


def others(options: Options) -> tuple[str, ...]:
    """The files to open beside the source."""
    return (options.other,)


def read(
    stream: BinaryIO, name: str, options: Options, other: BinaryIO
) -> Iterator[Row | BadRow | None]:
    """Yield a row for each pair of lines, None where both are blank."""
    for one, two in zip_longest(lines(stream), lines(other)):
        if one is None or two is None:
            longer, line = (name, one) if two is None else (options.other, two)
            reason = f"this line has no partner: {longer} is longer; the rest is unread"
            raise UserError(reason, where=f"{longer}:{line.number}")
        if is_blank(one) and is_blank(two):
            yield None
            continue
        where, fault = f"{name}:{one.number}", one.fault or two.fault
        if not fault and (is_blank(one) or is_blank(two)):
            fault = f"only one side is blank ({name if is_blank(one) else options.other})"
        if fault:
            yield BadRow(where, fault, as_text(one.raw) + "\n" + as_text(two.raw))
            continue
        texts = (line.text.removesuffix("\n").removesuffix("\r") for line in (one, two))
        yield Row(where, dict(zip(options.names, texts, strict=True)), one.raw + two.raw)
