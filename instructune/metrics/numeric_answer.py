r"""Share of answers whose final number is the reference's: last in the text, after #### or boxed.

Cobbe et al. 2021 (arXiv:2110.14168) mark it with ####; Hendrycks et al. 2021 box it. Numbers are
compared as numbers: 1,000 is $1000.00, and 3/4 is 0.75. The rules `gsm8k_strict` and
`gsm8k_flexible` compare texts instead, as task gsm8k 3 of the Language Model Evaluation Harness.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_rows

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
SIGNATURE = "references:any"
PAPER = "https://arxiv.org/abs/2110.14168"

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?:(?<![\w.)])(?P<sign>[-+]))?[$€£¥]?(?P<whole>{_DIGITS})"
    rf"(?:e(?P<power>[-+]?\d{{1,3}})(?!\d)|\s*/\s*(?P<below>{_DIGITS}))?",
    re.IGNORECASE,
)
_MARKED = re.compile(r"####([^\n]*)")
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
_FLEXIBLE = re.compile(r"-?[$0-9.,]{2,}|-?[0-9]+")


@dataclass(frozen=True)
class Options:
    """How the number is found: `number` takes the last where none is marked, `marked` none."""

    rule: Literal["number", "marked", "gsm8k_strict", "gsm8k_flexible"] = "number"


def row_score(answer: Answer, options: Options) -> float:
    """1 where the final numbers agree; a reference without a number is an error of the data."""
    if options.rule.startswith("gsm8k"):
        found = gsm8k_answer(answer.prediction, options.rule)
        return float(any(found == _bare(reference) for reference in answer.references))
    wanted = [final_number(reference, "number") for reference in answer.references]
    if None in wanted:
        raise UserError(
            f"id {answer.row['id']!r}: a reference has no number, {answer.references!r}"
        )
    return float(final_number(answer.prediction, options.rule) in wanted)


def final_number(text: str, rule: str) -> Fraction | None:
    """The number in the last box, else after the last ####, else, unless `marked`, the last."""
    text = unicodedata.normalize("NFKC", text)  # full-width digits
    boxed = _last_box(text)
    marks = _MARKED.findall(text)
    if boxed is not None:
        return _last_number(boxed)
    if marks:
        return _first_number(marks[-1])
    return _last_number(text) if rule == "number" else None


def _last_box(text: str) -> str | None:
    r"""What the last \boxed{…} holds, braces within it included."""
    _, mark, rest = text.rpartition("\\boxed{")
    if not mark:
        return None
    depth = 1
    for i, letter in enumerate(rest):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if not depth:
            return rest[:i]
    return rest


def _matches(text: str) -> Iterator[re.Match[str]]:
    plain = _FRACTION.sub(r"\1/\2", text.replace("\\$", "$").replace("{,}", ",").replace("\\,", ""))
    return _NUMBER.finditer(plain.replace("\u2212", "-"))


def _first_number(text: str) -> Fraction | None:
    found = next(_matches(text), None)
    return found and _number(found)


def _last_number(text: str) -> Fraction | None:
    found = deque(_matches(text), maxlen=1)
    return _number(found[0]) if found else None


def _number(found: re.Match[str]) -> Fraction:
    value = _plain(found["whole"])
    if found["power"]:
        value *= Fraction(10) ** int(found["power"])
    if found["below"] and (below := _plain(found["below"])):
        value /= below
    return -value if found["sign"] == "-" else value


def _plain(digits: str) -> Fraction:
    return Fraction(Decimal(digits.replace(",", "")))


def gsm8k_answer(text: str, rule: str) -> str:
    """What the harness's filters extract, bared as its exact match bares both sides."""
    if rule == "gsm8k_strict":
        found = _STRICT.search(text)
        return _bare(found[1]) if found else "[invalid]"
    every = _FLEXIBLE.findall(text)
    return _bare(every[-1].strip()) if every else "[invalid]"


def _bare(text: str) -> str:
    text = re.sub(r"(?s).*#### ", "", text.replace(",", "").replace("$", ""))
    return re.sub(r"\.$", "", text).lower()


statistics, value = mean_of_rows(row_score)
