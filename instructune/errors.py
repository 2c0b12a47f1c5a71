"""What can go wrong that a user can mend: where, why, what to do, and the exit code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum

# what drives a terminal, reorders a line or cannot be encoded; line ends and tabs stay
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Exit(IntEnum):
    """Exit codes; 65 and up as in BSD's sysexits where one fits."""

    DONE = 0
    BUG = 1
    USAGE = 2
    GATE = 3
    BAD_DATA = 65
    NO_INPUT = 66
    UNAVAILABLE = 69
    NON_FINITE = 70
    OUT_OF_MEMORY = 71
    CANNOT_CREATE = 73
    IO = 74
    LOCKED = 75
    PERMISSION = 77
    MISMATCH = 78


class UserError(Exception):
    """A failure the user can mend.

    `where` is `file:line`, a path or an option as typed; `hint` says what to do next.
    """

    def __init__(
        self,
        reason: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        code: Exit = Exit.BAD_DATA,
    ) -> None:
        super().__init__(reason)
        self.reason, self.where, self.hint, self.code = reason, where, hint, code

    def __str__(self) -> str:
        head = f"{self.where}: {self.reason}" if self.where else self.reason
        return f"{head}\n  hint: {self.hint}" if self.hint else head

    def as_dict(self) -> dict[str, str | int | None]:
        """The error as one JSON object, for `--json`."""
        return {
            "error": self.reason,
            "where": self.where,
            "hint": self.hint,
            "code": int(self.code),
        }


class Told(Exception):
    """What was asked for instead of work, such as the options of a plug-in; no failure."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Signalled(BaseException):
    """A signal asked the process to end; raised so that temporary files go on the way out."""

    message = ""  # what to tell the user

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def at(where: str) -> Iterator[None]:
    """Give a UserError that names no place this one."""
    try:
        yield
    except UserError as error:
        error.where = error.where or where
        raise


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A hint that names the nearest of `choices`, or all of them."""
    known = {choice.lower(): choice for choice in sorted(choices)}
    near = difflib.get_close_matches(name.lower(), known, n=1)
    if near:
        return f"did you mean {known[near[0]]!r}?"
    return f"choose from {', '.join(known.values())}" if known else "there are none"


def visible(text: str) -> str:
    """`text` fit for a terminal: control characters from data or file names as escapes."""
    return _HOSTILE.sub(lambda found: ascii(found.group())[1:-1], text)


def usage(reason: str, *, where: str | None = None, hint: str | None = None) -> UserError:
    """A wrong option or value: exit code 2."""
    return UserError(reason, where=where, hint=hint, code=Exit.USAGE)
