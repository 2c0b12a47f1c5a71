"""Mends mojibake, composes Unicode, takes out invisible and control characters, tidies blanks."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from instructune.extras import extra
from instructune.preparing.editing import Edit, edited, replaced
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """What is mended; indents, tabs and single blank lines always stay."""

    mojibake: bool = True
    nfc: bool = True
    line_ends: bool = True
    controls: bool = True
    bidi: bool = True
    invisible: bool = True
    blanks: bool = True
    blank_lines: int = 2  # kept in a row; 0 keeps all


# What UTF-8 looks like when it was read as Latin-1 or a Windows code page: a lead byte's letter
# and then what a continuation byte turns into. Cheap, and true of every text ftfy could mend.
_MOJIBAKE = re.compile(
    "[\u00c2-\u00f4\u0102-\u0111\u0139-\u0165\u0392-\u03c9\u0410-\u0453\u0490\u0491]"
    "[\u0080-\u00bf\u0152-\u0192\u02c6-\u02dd\u0402-\u040f\u0452-\u045f\u0490\u2013-\u203a\u20ac"
    "\u2116\u2122\u2026\u00a0\u0106-\u017e]"
)
_JOINED = "\u0600-\u0dff\u1000-\u109f\u1780-\u17ff\ufe0f\u2600-\u27bf\U0001f000-\U0001faff"
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufff9-\ufffb]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# a joiner between emoji, or inside scripts that need it (Arabic, Indic), is spelling: it stays
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b\u2060-\u2064\ufeff]"
    rf"|[\u200c\u200d](?<![{_JOINED}].)|\A[\u200c\u200d]"
)
_ANY_SIGN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb]"
)
_BLANK = "[ \t\u00a0\u3000]"
_EDGES = rf"(?P<edges>\A\s+\Z|\A(?:{_BLANK}*\n)+|(?<!\s)\s+\Z)"
_TRAILING = rf"(?P<trailing>(?<!{_BLANK}){_BLANK}+(?=\n))"


class Transform:
    """All that one look shows to be clean passes at once."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._signs: list[tuple[str, re.Pattern[str], str]] = []
        for asked, kind, pattern, new in (
            (options.line_ends, "line ends made \\n", _LINE_ENDS, "\n"),
            (options.controls, "control characters taken out", _CONTROLS, ""),
            (options.bidi, "bidi controls taken out", _BIDI, ""),
            (options.invisible, "invisible characters taken out", _INVISIBLE, ""),
        ):
            if asked:
                self._signs.append((kind, pattern, new))
        n = options.blank_lines
        run = rf"(?<!{_BLANK}){_BLANK}*(?:\n{_BLANK}*){{{n + 1}}}\n(?:{_BLANK}*\n)*"
        # the ends of a text come before a run of lines, which comes before the end of a line
        parts = [_EDGES] * options.blanks + [rf"(?P<run>{run})"] * bool(n)
        parts += [_TRAILING] * options.blanks
        self._tidy = re.compile("|".join(parts)) if parts else None
        self._fix: Callable[[str], str] | None = None

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record, mended; each kind of change is counted once."""
        kinds: dict[str, None] = {}
        new = edited(record, lambda text: self._mended(text, kinds))
        if "tokens" not in record:
            new = replaced(new, lambda text: self._tidied(text, kinds))
        if new is record:
            return [record]
        changes.update(kinds.keys())
        return [new]

    def _mended(self, text: str, kinds: dict[str, None]) -> str:
        plain = text.isascii()
        if plain and text.isprintable():
            return text
        if not plain and self._options.mojibake and _MOJIBAKE.search(text):
            mended = self._unmangled(text)
            if mended != text:
                kinds["mojibake mended"] = None
                text = mended
        if _ANY_SIGN.search(text):
            for kind, pattern, sign in self._signs:
                if pattern.search(text):
                    kinds[kind] = None
                    text = pattern.sub(sign, text)
        if not plain and self._options.nfc and not unicodedata.is_normalized("NFC", text):
            kinds["Unicode composed (NFC)"] = None
            text = unicodedata.normalize("NFC", text)
        return text

    def _unmangled(self, text: str) -> str:
        if self._fix is None:
            self._fix = extra("ftfy", "clean", "--transform clean").fix_encoding
        return self._fix(text)

    def _tidied(self, text: str, kinds: dict[str, None]) -> list[Edit]:
        if self._tidy is None or not _may_be_untidy(text):
            return []
        edits = []
        for found in self._tidy.finditer(text):
            if found.lastgroup == "run":
                kinds["blank lines collapsed"] = None
                edits.append(Edit(*found.span(), "\n" * (self._options.blank_lines + 1)))
            else:
                kinds["blanks at ends taken out"] = None
                edits.append(Edit(*found.span(), ""))
        return edits


def _may_be_untidy(text: str) -> bool:
    """A cheap look: a blank at either end, before a line end, or three line ends in a row."""
    return (
        text[:1].isspace()
        or text[-1:].isspace()
        or "\n\n\n" in text
        or any(sign in text for sign in (" \n", "\t\n", "\u3000\n", "\u00a0\n"))
    )
