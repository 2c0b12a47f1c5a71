"""Two texts word by word: what only the first has struck out, what only the second has marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from instructune.reports.pages import Html, element, joined

# a character of a script without blanks is a word, as is a run of letters, of blanks, or a mark
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
    r"|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+|\s+|[^\w\s]"
)


def marked(before: str, after: str) -> tuple[Html, Html]:
    """Both texts as markup, the words of one that the other lacks marked."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    if not any(step[0] == "equal" and _says(old[step[1] : step[2]]) for step in steps):
        return _whole("del", before), _whole("ins", after)  # nothing in common but blanks
    return (
        joined(_runs("del", [(step[0], old[step[1] : step[2]]) for step in steps])),
        joined(_runs("ins", [(step[0], new[step[3] : step[4]]) for step in steps])),
    )


def _says(words: list[str]) -> bool:
    return any(not word.isspace() for word in words)


def _whole(tag: str, said: str) -> Html:
    return element(tag, said) if said else Html("")


def _runs(tag: str, steps: list[tuple[str, list[str]]]) -> Iterator[object]:
    for kind, words in steps:
        if words:
            said = "".join(words)
            yield said if kind == "equal" else element(tag, said)
