"""Two texts word by word: what only one of them says is marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from instructune.reports.pages import Html, element, joined, text

# a character of a script without blanks is a word, as is a run of letters, of blanks, or a mark
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
    r"|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+|\s+|[^\w\s]"
)


_ALIKE = 0.3  # below it marks would cover nearly all, and hide what is said


def marked(before: str, after: str) -> tuple[Html, Html]:
    """Both texts as markup, the words of one that the other lacks marked.

    Texts that share less than a third of their words have no marks.
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    shared = sum(_said(old[i:j]) for kind, i, j, _, _ in steps if kind == "equal")
    if 2 * shared < _ALIKE * (_said(old) + _said(new)):
        return text(before), text(after)
    return (
        joined(_runs("del", [(kind, old[i:j]) for kind, i, j, _, _ in steps])),
        joined(_runs("ins", [(kind, new[i:j]) for kind, _, _, i, j in steps])),
    )


def _said(words: list[str]) -> int:
    return sum(not word.isspace() for word in words)


def _runs(tag: str, steps: list[tuple[str, list[str]]]) -> Iterator[object]:
    for kind, words in steps:
        if words:
            said = "".join(words)
            yield said if kind == "equal" else element(tag, said)
