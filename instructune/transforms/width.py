"""Makes full-width letters and digits half-width, half-width kana full; punctuation on demand."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from instructune.preparing.editing import Edit, edited, replaced
from instructune.records import Record

_HALF = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_LETTERS = str.maketrans({wide: half for wide, half in _HALF.items() if half.isalnum()})
_SIGNS = {wide: half for wide, half in _HALF.items() if not half.isalnum()}
_MORE = {"。": ".", "、": ",", "\u3000": " "}
_TO_HALF = str.maketrans(_SIGNS | _MORE)
_KANA = re.compile("[\uff66-\uff9f]+")

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_FULL = dict(zip(",.;:?!()", "，。；：？！（）", strict=True))
# after a Chinese sign, and not the point or comma of a number or a file name
_AFTER = rf"(?:(?<=[{_CJK}）”’》])|(?<=[{_CJK}]\)))"
_TO_FULL = re.compile(
    rf"{_AFTER}[,;:?!](?!\w*\.)|{_AFTER}\.(?![.\w])"
    rf"|\((?=[^()\n]{{0,40}}[{_CJK}])([^()\n]{{1,40}})\)"
)


@dataclass(frozen=True)
class Options:
    """`punctuation=half` suits training on English signs, `full` Chinese text typed with them."""

    punctuation: Literal["keep", "half", "full"] = "keep"
    kana: bool = True


class Transform:
    """Sign for sign, so entities keep their places but for kana that combine."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record with one width."""
        new = edited(record, self._narrow)
        if self._options.punctuation == "full":
            new = replaced(new, _widened)
        if new is not record:
            changes["width made one"] += 1
        return [new]

    def _narrow(self, text: str) -> str:
        if text.isascii():
            return text
        text = text.translate(_LETTERS)
        if self._options.kana and _KANA.search(text):
            text = _KANA.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
        return text.translate(_TO_HALF) if self._options.punctuation == "half" else text


def _widened(text: str) -> list[Edit]:
    if text.isascii():
        return []
    edits = []
    for found in _TO_FULL.finditer(text):
        edits.append(Edit(found.start(), found.start() + 1, _FULL[found[0][0]]))
        if found[1]:
            edits.append(Edit(found.end() - 1, found.end(), _FULL[")"]))
    return edits
