"""CoNLL columns: a token and its tag a line, blank lines between sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from instructune.containers._lines import Line, is_blank, lines
from instructune.errors import usage
from instructune.jsonl import MAX_LINE, BadRow, Row, as_text
from instructune.reading.encodings import head

EXTENSIONS = (".conll", ".bio", ".iob", ".iob2")
TEXT = True
TAG = re.compile(r"O|[BIESLUM]-\S+")
_SAMPLE = 1 << 18  # bytes that show the scheme
_UNLIKE_TOKENS = frozenset(["", " ", "\t", "\r", "\n", "#", "-"])
_LETTERS = {"iob1": "BIO", "iob2": "BIO", "bioes": "BIOES"}


@dataclass(frozen=True)
class Options:
    """`token`, `tag`: columns, counted from 0, or from the end as -1.

    `scheme`: how entities are marked; IOB1 becomes IOB2, the others stay as they are. `cut`:
    characters to cut off each token's end, such as the digits of a segmentation.
    """

    token: int = 0
    tag: int = -1
    scheme: Literal["auto", "iob1", "iob2", "bioes"] = "auto"
    cut: int = 0

    def __post_init__(self) -> None:
        if self.cut < 0:
            raise usage(f"cut must be at least 0, got {self.cut}", where="--container conll")


def read(
    stream: BinaryIO, name: str, options: Options = Options()
) -> Iterator[Row | BadRow | None]:
    """Yield a row of `tokens` and `tags` for each sentence, at its first line.

    Blank lines, comments and -DOCSTART- lines come as None. `auto` takes a file for IOB1 if in
    its first quarter of a megabyte entities begin with I- and no B- begins one where I- could.
    """
    scheme = options.scheme
    if scheme == "auto" and is_iob1(tags_of(head(stream)[:_SAMPLE], options)):
        scheme = "iob1"
    sentence = _Sentence(name, options, scheme)
    for line in lines(stream):
        if line.text[:1] not in _UNLIKE_TOKENS or not sentence.separates(line):
            sentence.add(line)
            continue
        if sentence.lines:
            yield sentence.row()
        yield None
    if sentence.lines:
        yield sentence.row()


def columns(text: str) -> list[str]:
    """The columns of a line: between tabs where it has any, else between blanks.

    Other blanks of Unicode are tokens in their own right.
    """
    text = text.strip("\r\n")
    return text.split("\t") if "\t" in text else [part for part in text.split(" ") if part]


def tags_of(start: bytes, options: Options = Options()) -> list[str]:
    """The tags in the whole lines of a file's first bytes; O stands for what is between."""
    found = []
    for line in start.decode(errors="replace").split("\n")[:-1]:
        parts = columns(line)
        try:
            tag = parts[options.tag] if len(parts) > 1 else "O"
        except IndexError:
            tag = "O"
        found.append("O" if line.startswith(("#", "-DOCSTART-")) or not tag.strip() else tag)
    return found


def is_iob1(tags: list[str]) -> bool:
    """Whether I- begins entities and B- none but those right after one of their type."""
    begun, before = 0, "O"
    for tag in tags:
        mark, _, kind = tag.partition("-")
        follows = before.partition("-")[2] == kind
        if mark not in ("O", "I", "B") or (mark == "B" and not follows) or (tag == mark != "O"):
            return False
        begun += mark == "I" and not follows
        before = tag
    return begun > 0


def as_iob2(tags: list[str]) -> list[str]:
    """IOB1 tags in IOB2: the first token of an entity gets B-."""
    made, before = [], "O"
    for tag in tags:
        begins = tag.startswith("I-") and before.partition("-")[2] != tag[2:]
        made.append("B" + tag[1:] if begins else tag)
        before = tag
    return made


class _Sentence:
    """The lines of the sentence at hand, and what was learned of the file's columns."""

    def __init__(self, name: str, options: Options, scheme: str) -> None:
        self.name, self.options, self.scheme = name, options, scheme
        self.width, self.tagged, self.size = 0, False, 0
        self.lines: list[Line] = []

    def separates(self, line: Line) -> bool:
        """Whether a line is blank, a comment or the start of a document."""
        if is_blank(line) or line.text.startswith("-DOCSTART-"):
            return True
        return line.text.startswith("#") and self._is_comment(columns(line.text))

    def _is_comment(self, parts: list[str]) -> bool:
        """A line that begins with # is a token only if it has the columns and a tag of one."""
        if len(parts) < 2 or (self.width and len(parts) != self.width):
            return True
        return not TAG.fullmatch(parts[-1]) if self.tagged or not self.width else False

    def add(self, line: Line) -> None:
        """Take a line in."""
        if not self.width:
            parts = columns(line.text)
            self.width, self.tagged = len(parts), bool(TAG.fullmatch(parts[-1]))
        self.size += len(line.raw)
        if self.size <= MAX_LINE:
            self.lines.append(line)

    def row(self) -> Row | BadRow:
        """The sentence, and a fresh start."""
        taken, too_long = self.lines, self.size > MAX_LINE
        self.lines, self.size = [], 0
        where, raw = f"{self.name}:{taken[0].number}", b"".join(line.raw for line in taken)
        try:
            if too_long:
                raise ValueError(f"sentence longer than {MAX_LINE >> 20} MiB")
            pairs = [self._pair(line) for line in taken]
        except ValueError as error:
            return BadRow(where, str(error), as_text(raw))
        tokens, tags = [token for token, _ in pairs], [tag for _, tag in pairs]
        if self.scheme == "iob1":
            tags = as_iob2(tags)
        return Row(where, {"tokens": tokens, "tags": tags}, raw)

    def _pair(self, line: Line) -> tuple[str, str]:
        if line.fault:
            raise ValueError(f"{line.fault} in line {line.number}")
        parts = columns(line.text)
        if len(parts) != self.width or self.width < 2:
            reason = f"{len(parts)} columns in line {line.number}, not {max(self.width, 2)}"
            raise ValueError(reason)
        try:
            token, tag = parts[self.options.token], parts[self.options.tag]
        except IndexError:
            raise usage(
                f"there are {len(parts)} columns, so neither token nor tag can be beyond",
                where=f"{self.name}:{line.number}",
            ) from None
        if self.options.cut:
            token = token[: -self.options.cut]
        if not token.strip(" ") or not tag:
            raise ValueError(f"no {'tag' if token else 'token'} in line {line.number}")
        if tag == "O" or self.scheme == "auto":
            return token, tag
        if not TAG.fullmatch(tag) or tag[0] not in _LETTERS[self.scheme]:
            raise ValueError(f"tag {tag!r} in line {line.number} is not {self.scheme.upper()}")
        return token, tag
