"""Verifiable constraints that a prompt states, read off by rules that keep the words they matched.

English and Chinese. What the rules do not know is not found; nothing is guessed from the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from instructune.checking import prepared
from instructune.constraints import chinese, english
from instructune.constraints.found import Found
from instructune.constraints.negation import negated
from instructune.errors import UserError
from instructune.records import Record

__all__ = ["TYPED", "Found", "extract"]

_SIDE = 4000  # characters
_HAN = re.compile(r"[\u3400-\u9fff]")
_ENGLISH = re.compile(r"[A-Za-z]{2,}(?:\W+[A-Za-z]+)+")
# quotes of all kinds as typed ones, which the rules look for
TYPED = str.maketrans("“”‘’＂「」『』", '""\'\'"""""')


def extract(prompt: str) -> list[Found]:
    """The constraints in the order of the rules, each kind of check with its args once.

    Of a very long prompt only both ends are read: what is between is material.
    """
    if len(prompt) > 2 * _SIDE:
        prompt = f"{prompt[:_SIDE]}\n{prompt[-_SIDE:]}"
    kept: dict[str, Found] = {}
    for found in _all(prompt.translate(TYPED)):
        kept.setdefault(f"{found.check} {sorted(found.args.items())!r}", found)
    return list(filter(_makes_sense, kept.values()))


def _makes_sense(found: Found) -> bool:
    """Whether the check takes these args: "include the word ' '" asks for nothing."""
    try:
        prepared(found.as_check(), Record())
    except UserError:
        return False
    return True


def _all(text: str) -> Iterator[Found]:
    made: list[Found] = []
    if _ENGLISH.search(text):
        made += english.constraints(text)
    if _HAN.search(text):
        made += chinese.constraints(text)
    return (found for found in made if not negated(text, found))
