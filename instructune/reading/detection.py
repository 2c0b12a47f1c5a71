"""Which container a source is in: as named, else by its extension and its first bytes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import BinaryIO

from instructune.containers import containers
from instructune.errors import UserError
from instructune.files import STDIO, open_input, shown
from instructune.jsonl import loads
from instructune.reading import blocks, encodings
from instructune.reading.blocks import Block

_SAMPLE = 1 << 16  # characters looked at
_TABLE = 3  # lines that show a table
_ARRAY = re.compile(r'\[\s*(?:[{\["\]]|$)')
_OBJECT = re.compile(r'\{\s*(?:"|\}|$)')
_MARKUP = re.compile(r"<(?:!doctype|\?xml|html|head|body)\b", re.IGNORECASE)
_NO_TOKEN = re.compile(r"#|-DOCSTART-")


def open_blocks(
    name: str, container: str | None, encoding: str | None, hashes: dict[str, str]
) -> Iterator[Block]:
    """Yield the rows of a source in blocks; the hash of each file behind them goes to `hashes`.

    `container` is `NAME[:key=value,…]`. Raises where nothing tells what the source is, or
    where it is not in the encoding that it should be in; the error says what to type.
    """
    with ExitStack() as stack:
        sources = [stack.enter_context(open_input(name))]
        binary = _is_binary(container, encodings.head(sources[0].stream))

        def opened(stream: BinaryIO, name: str) -> BinaryIO:
            return stream if binary else encodings.as_utf8(stream, name, encoding)

        streams = [opened(sources[0].stream, name)]
        spec = container or told(name, encodings.head(streams[0]))
        _, module, options = containers.configure(spec)
        for other in module.others(options) if hasattr(module, "others") else ():
            sources.append(stack.enter_context(open_input(other)))
            streams.append(opened(sources[-1].stream, other))
        if module.TEXT and not encoding:
            for source, stream in zip(sources, streams, strict=True):
                encodings.refuse_foreign(encodings.head(stream), shown(source.name))
        first, *others = streams
        settings = [] if options is None else [options]
        if hasattr(module, "blocks"):
            yield from module.blocks(first, name, *settings)
        else:
            yield from blocks.of_rows(module.read(first, shown(name), *settings, *others), name)
        for source in sources:
            hashes[source.name] = source.sha256()
            source.check_unchanged()


@cache
def _facts() -> tuple[dict[str, str], dict[bytes, str]]:
    """Containers by extension, and by the bytes that files in them begin with."""
    by_extension, by_magic = {}, {}
    for name in containers.names():
        facts = containers.facts(name)
        by_extension.update(dict.fromkeys(facts["EXTENSIONS"], name))
        if "MAGIC" in facts:
            by_magic[facts["MAGIC"]] = name
    return by_extension, by_magic


def _is_binary(container: str | None, start: bytes) -> bool:
    magics = _facts()[1]
    if container:
        return container.partition(":")[0] in magics.values()
    return start.startswith(tuple(magics))


def told(name: str, start: bytes) -> str:
    """The container of a source that begins with the bytes `start`, by extension where honest.

    `.txt` promises nothing, and a pipe is never taken for plain text: a failed producer's
    message would become rows.
    """
    for magic, found in _facts()[1].items():
        if start.startswith(magic):
            return found
    extensions = _facts()[0]
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    known = next((extensions[s] for s in reversed(suffixes) if s in extensions), "")
    text = start.decode(errors="replace").lstrip("\ufeff \t\r\n")
    if known in ("jsonl", "parquet") or not text:
        return known or "jsonl"
    if known == "json" or _OBJECT.match(text) or _ARRAY.match(text):
        return _json(text, known == "json")
    lines = _whole_lines(text[:_SAMPLE])
    if known in ("csv", "tsv"):
        _check_delimiter(known, lines[0], shown(name))
    if known in ("csv", "tsv", "conll"):
        return known
    return _by_lines(lines, name)


def _json(text: str, by_extension: bool) -> str:
    """One document, or a line for each object."""
    first, line_end, rest = text.partition("\n")
    first = first.rstrip()
    if by_extension:
        whole = not line_end or (bool(rest.strip()) and not first.endswith("}"))
    else:
        whole = first == "{"  # no JSON line ends so soon
    return "json" if whole or text[0] == "[" else "jsonl"


def _whole_lines(text: str) -> list[str]:
    """The lines of a sample that are not blank; the last may be cut, so only if it is alone."""
    lines = text.split("\n")
    lines = lines[:-1] if len(lines) > 1 else lines
    return [line.rstrip("\r") for line in lines if line.strip(" \t\r")]


def _check_delimiter(known: str, first: str, name: str) -> None:
    """Refuse a table whose first line has other marks between its cells than its name says."""
    own = "," if known == "csv" else "\t"
    if own in first:
        return
    for mark, what, say in (
        ("\t", "tabs", "tsv"),
        (",", "commas", "csv"),
        (";", "semicolons", "csv:delimiter=;"),
        ("|", "bars", "csv:delimiter=|"),
    ):
        if mark in first:
            raise UserError(
                f"looks separated by {what}, not as its name says",
                where=name,
                hint=f"say which with --container {say}, or --container {known}",
            )


def _by_lines(lines: list[str], name: str) -> str:
    if any(_is_object(line) for line in lines):
        return "jsonl"
    if _looks_like_conll(lines):
        return "conll"
    if width := _tabs(lines):
        names = "+".join("NAME" for _ in range(width))
        raise _refused(
            f"looks like {width} columns between tabs",
            name,
            "--container tsv if its first line names the columns, "
            f"else --container tsv:header={names}; --container text for plain lines",
        )
    if width := _commas(lines):
        raise _refused(
            f"looks like {width} columns between commas",
            name,
            "--container csv if it is so, --container text for plain lines",
        )
    if any("\0" in line for line in lines) or _MARKUP.match(lines[0]):
        what = "a document with markup" if _MARKUP.match(lines[0]) else "binary data"
        raise _refused(f"looks like {what}, not rows", name, "--container text for its lines")
    return "jsonl" if name == STDIO else "text"


def _refused(reason: str, name: str, hint: str) -> UserError:
    return UserError(reason, where=shown(name), hint=f"say what it is: {hint}")


def _is_object(line: str) -> bool:
    if not (line.startswith("{") and line.endswith("}")):
        return False
    try:
        return type(loads(line)) is dict
    except ValueError:
        return False


def _looks_like_conll(lines: list[str]) -> bool:
    """Whether each line ends in a column that is a tag of an entity, or O."""
    conll = containers["conll"]
    rows = [conll.columns(line) for line in lines if not _NO_TOKEN.match(line)]
    return len(rows) >= _TABLE and all(
        len(row) > 1 and conll.TAG.fullmatch(row[-1]) is not None for row in rows
    )


def _tabs(lines: list[str]) -> int:
    """The number of columns between tabs, if all lines have as many; else 0."""
    counts = {line.count("\t") for line in lines}
    return counts.pop() + 1 if len(counts) == 1 and counts != {0} else 0


def _commas(lines: list[str]) -> int:
    """The number of columns between commas, if all of at least three lines have as many."""
    try:
        widths = {len(cells) for cells in csv.reader(lines, strict=True) if cells}
    except csv.Error:
        return 0
    return widths.pop() if len(lines) >= _TABLE and len(widths) == 1 and widths != {1} else 0
