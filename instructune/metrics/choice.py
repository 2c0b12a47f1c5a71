"""Share of multiple-choice answers that pick the reference's option, by its letter or its text.

Options are those of the row's `choices`, or the lines `A. …` of its last question. An answer that
picks none, or that names two, is wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_rows
from instructune.records import Record
from instructune.texts import normalised, prompt_of

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
SIGNATURE = "extract:whole,stated,leading,text,lone|references:any"

_LETTERS = "ABCDEFGHIJ"
_WORDS = {"A", "I"}  # letters that are words too, and alone no choice
_LINE = re.compile(r"^[ \t]*[(\[]?([A-J])[)\].:、]\s*(\S.*?)[ \t]*$", re.MULTILINE)
_WHOLE = re.compile(r"[\s*_`(\[\"']*([A-Ja-j])[\s*_`)\].:、。\"']*")
_BOXED = re.compile(r"\\boxed\{\s*(?:\\text\{)?\s*\(?([A-Ja-j])\b")
_STATED = re.compile(
    r"(?i:\banswer(?: is|:| would be| should be)?|\b(?:option|choice)(?: is|:)?"
    r"|答案(?:应该|应当)?(?:是|为|选|:)?|(?:应该?|故|因此|所以|正确)?选(?:择|项)?(?:是|为|:)?)"
    r"[\s*_`:]*[(\[]?[*_]*"
    r"([A-J](?![A-Za-z'])|[a-j](?=[*_`]*(?:[)\].,;]|\s*$)))"  # a small one may be a word
)
_LEADING = re.compile(r"[\s*_`(\[]*([A-J])[*_`]*(?:[)\].:、](?!\w\.)|\s*\n)")
_LONE = re.compile(r"(?<![A-Za-z])[(\[]?([A-J])(?![A-Za-z'])[)\]]?")


@dataclass(frozen=True)
class Options:
    """The field that lists the options' texts, or maps letters to them."""

    field: str = "choices"


def row_score(answer: Answer, options: Options) -> float:
    """1 where the answer picks an option that a reference names."""
    known = _known(answer, options.field)
    wanted = [_named(reference, known) for reference in answer.references]
    if None in wanted:
        raise UserError(
            f"id {answer.row['id']!r}: a reference names no option, {answer.references!r}",
            hint=f"a letter, or the text of an option in the row's {options.field!r}",
        )
    return float(picked(answer.prediction, known) in wanted)


def _known(answer: Answer, field: str) -> dict[str, str]:
    """The options' texts by letter; none where the row tells none."""
    listed = answer.row.get(field)
    if isinstance(listed, Mapping):
        return {str(letter).upper(): str(text) for letter, text in listed.items()}
    if isinstance(listed, list):
        return dict(zip(_LETTERS, map(str, listed), strict=False))
    if not any(body in answer.row for body in ("messages", "text", "texts")):
        return {}
    found = _LINE.findall(_wide(prompt_of(Record(answer.row))))
    last = max((i for i, (letter, _) in enumerate(found) if letter == "A"), default=len(found))
    return dict(found[last:])  # of several questions the last is answered


def _wide(text: str) -> str:
    """Full-width letters, brackets and stops as ASCII has them."""
    return unicodedata.normalize("NFKC", text)


def _named(reference: str, known: Mapping[str, str]) -> str | None:
    """The letter that a reference stands for."""
    text = _wide(reference)
    if found := _WHOLE.fullmatch(text) or _LEADING.match(text):
        return found[1].upper()
    return _of_text(text, known, whole=True)


def picked(text: str, known: Mapping[str, str]) -> str | None:
    """The letter of the option that an answer picks, None where it picks none or several.

    In this order: an answer that is a letter; the last box or statement ("the answer is B",
    "选B"); a letter that begins it ("B. Paris"); the one option whose text it holds; the one
    capital that stands alone.
    """
    text = _wide(text)
    letters = set(known) or set(_LETTERS)
    if (found := _WHOLE.fullmatch(text)) and found[1].upper() in letters:
        return found[1].upper()
    for pattern in (_BOXED, _STATED):
        stated = [letter.upper() for letter in pattern.findall(text)]
        if stated and stated[-1] in letters:
            return stated[-1]
    if (found := _LEADING.match(text)) and found[1] in letters:
        return found[1]
    if letter := _of_text(text, known, whole=False):
        return letter
    lone = {m[1] for m in _LONE.finditer(text) if m[1] not in _WORDS or m[0] != m[1]}
    return lone.pop() if len(lone) == 1 and lone <= letters else None


def _of_text(text: str, known: Mapping[str, str], *, whole: bool) -> str | None:
    """The one option whose text is in `text`; one within another option's text does not count."""
    said = normalised(text)
    texts = {letter: normalised(option) for letter, option in known.items()}
    exact = [letter for letter, option in texts.items() if option == said.strip(" .。")]
    if whole or exact:
        return exact[0] if len(exact) == 1 else None
    held = {letter: option for letter, option in texts.items() if option and _holds(said, option)}
    longest = [
        letter
        for letter, option in held.items()
        if not any(option != other and option in other for other in held.values())
    ]
    return longest[0] if len(longest) == 1 else None


def _holds(text: str, part: str) -> bool:
    """Whether `part` stands in `text` as whole words."""
    ends = [r"(?<!\w)" if part[0].isascii() else "", r"(?!\w)" if part[-1].isascii() else ""]
    return re.search(ends[0] + re.escape(part) + ends[1], text) is not None


statistics, value = mean_of_rows(row_score)
