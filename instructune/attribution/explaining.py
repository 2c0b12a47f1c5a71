"""What an explainer is asked and what it answers; the prompt cut into tokens and words to show."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

from instructune.answering.completions import Notify
from instructune.errors import Exit, UserError
from instructune.explainers import explainers
from instructune.records import Record
from instructune.texts import split
from instructune.tokenizer import Tokenizer
from instructune.training.goals import Answers, Target, likelihood_of

_LEAD = re.compile(r"[\S\n]")  # what blanks lead to
_LETTER = 4  # tokens that may make up one letter, each a byte of it


class Case(NamedTuple):
    """A prediction to explain, as token ids; the token that ended the answer is one of it.

    Where no text was written, or an encoder read the prompt, `answer` is empty and `chosen` what
    stands for it.
    """

    record: Record
    prompt: list[int]
    answer: list[int]
    text: str
    chosen: Target | None = None

    @property
    def target(self) -> str:
        """What is explained, in words."""
        return self.chosen.words if self.chosen else likelihood_of(self.answer)


class Source(Protocol):
    """What explains has the model from: the backend that made the predictions."""

    tokenizer: Tokenizer
    prompt_ids: Callable[[Record, Tokenizer], list[int]]
    limit: int | None
    notify: Notify
    answers: Answers | None

    @property
    def model(self) -> Any:
        """The torch model."""


class Explained:
    """The explainer of a spec such as `integrated:steps=64`, and what it reads."""

    def __init__(self, spec: str, source: Source) -> None:
        """Raises UserError where the spec is wrong or a file it names cannot be read."""
        self.method, module, options = explainers.configure(spec)
        self._explainer = module.Explainer(options, source)
        self.inputs: dict[str, Any] = getattr(self._explainer, "inputs", {})
        """hashes of the files that it reads"""

    def __call__(self, case: Case) -> dict[str, Any]:
        """The field `explanation` of a prediction."""
        head = {"method": self.method, "target": case.target}
        try:
            return head | self._explainer(case)
        except UserError as error:
            if error.where or error.code != Exit.BAD_DATA:  # no fault of the row
                raise
            return head | {"error": error.reason}


def rounded(values: Iterable[float]) -> list[float]:
    """The values to 4 significant digits; raises UserError where one is not finite."""
    found = [float(f"{value:.4g}") for value in values]
    if not all(map(math.isfinite, found)):
        raise UserError("the model's output is not finite")
    return found


def pieces(ids: Sequence[int], tokenizer: Tokenizer) -> list[str]:
    """The text of each token, control tokens too; together they are the text of all.

    Of tokens that are bytes of one letter the last has it, the others have nothing.
    """
    found: list[str] = []
    begun = 0
    for i in range(len(ids)):
        before = list(ids[max(0, begun - 1) : begun])  # a first token may lose its blank
        head = tokenizer.decode(before, keep_special=True)
        whole = tokenizer.decode([*before, *ids[begun : i + 1]], keep_special=True)
        if not whole.startswith(head):
            head, whole = "", tokenizer.decode(ids[begun : i + 1], keep_special=True)
        open_letter = whole.endswith("\ufffd") and i + 1 - begun < _LETTER and i + 1 < len(ids)
        found.append("" if open_letter else whole[len(head) :])
        if not open_letter:
            begun = i + 1
    return found


def words(ids: Sequence[int], tokenizer: Tokenizer) -> tuple[list[str], list[list[int]]]:
    """The texts of the words that the tokens make up, and the places of each word's tokens.

    A token belongs to the word of its first letter; blanks go with the word they lead to on the
    same line, and a control token is a word of its own.
    """
    parts = pieces(ids, tokenizer)
    text = "".join(parts)
    ends = list(accumulate(map(len, parts)))
    owners = [number for number, part in enumerate(split(text)) for _ in part]
    groups: dict[Any, list[int]] = {}
    waiting: list[int] = []  # bytes of a letter that a later token completes
    for i, part in enumerate(parts):
        if ids[i] in tokenizer.special_ids:
            groups[f"control {i}"] = [*waiting, i]
        elif not part:
            waiting.append(i)
            continue
        else:
            start = ends[i] - len(part)
            letter = _LEAD.search(text, start)
            owner = owners[letter.start() if letter else start]
            groups.setdefault(owner, []).extend([*waiting, i])
        waiting = []
    if waiting:
        groups["rest"] = waiting
    found = list(groups.values())
    return ["".join(parts[i] for i in group) for group in found], found
