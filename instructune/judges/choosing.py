"""A person compares answers blind: rows and sides shuffled by the seed, each decision kept at once.

Neither the order of rows nor the side an answer stands on depends on what was chosen before, so a
session that was ended goes on where it was.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from instructune import files
from instructune.errors import Exit, UserError
from instructune.jsonl import dumps
from instructune.judges.judging import ROLES, Pair
from instructune.judges.verdicts import Judgement, read_choices

KEYS = ("a", "b", "tie", "skip", "quit")


class Shown(NamedTuple):
    """All that a rater sees of a pair: nothing in it tells whose answer is whose."""

    number: int
    of: int
    question: str
    reference: str | None
    a: str
    b: str


class Turn(NamedTuple):
    """A pair in its place, and whether the system's answer is shown as A."""

    pair: Pair
    system_first: bool

    def shown(self, number: int, of: int) -> Shown:
        """What the rater sees."""
        one, other = (answer or "" for answer in self.pair.answers)
        a, b = (one, other) if self.system_first else (other, one)
        return Shown(number, of, self.pair.question, self.pair.reference, a, b)

    def choice(self, key: str) -> str:
        """What a key stands for."""
        return "tie" if key == "tie" else ROLES[(key == "a") != self.system_first]


def turns(found: Sequence[Pair], seed: int, rater: str) -> list[Turn]:
    """All pairs in the rater's order."""
    drawn = sorted((_draw(seed, rater, pair), place) for place, pair in enumerate(found))
    return [Turn(found[place], bool(draw[-1] & 1)) for draw, place in drawn]


def _draw(seed: int, rater: str, pair: Pair) -> bytes:
    key = dumps([seed, rater, pair.id, pair.sample])
    return hashlib.blake2b(key, digest_size=16).digest()


class Choices:
    """The file that choices are appended to, held for this process; several raters may share it."""

    def __init__(self, name: str, systems: tuple[str, ...]) -> None:
        self.name, self.systems = name, systems
        self.rows = 0
        self._descriptor = -1

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the file; a last line that a kill cut short is taken off."""
        with files.naming_errors(self.name):
            self._descriptor = self._locked()
        try:
            whole = Path(self.name).read_bytes()
            os.ftruncate(self._descriptor, whole.rfind(b"\n") + 1)
            self.rows = whole.count(b"\n")
            yield
        finally:
            if not os.fstat(self._descriptor).st_size:
                Path(self.name).unlink(missing_ok=True)
            os.close(self._descriptor)

    def _locked(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        while True:
            descriptor = os.open(self.name, flags, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                reason = "is being written by another process"
                raise UserError(reason, where=self.name, code=Exit.LOCKED) from None
            with suppress(FileNotFoundError):  # removed while we opened it, by who held it
                if os.path.samestat(os.fstat(descriptor), Path(self.name).stat()):
                    return descriptor
            os.close(descriptor)

    def kept(self, found: Sequence[Pair], rater: str) -> dict[tuple[str, int], Judgement]:
        """What this rater chose before, by key; all of the file must be about these pairs."""
        if not os.fstat(self._descriptor).st_size:
            return {}
        by_key = {pair.key: pair for pair in found}
        mine = {}
        for judgement in read_choices(self.name):
            pair = by_key.get(judgement.key)
            if pair is None or judgement.answers not in (None, pair.fingerprint):
                raise UserError(
                    f"id {judgement.id!r} was chosen between other answers",
                    where=judgement.where,
                    hint="choose another -o for these",
                    code=Exit.CANNOT_CREATE,
                )
            if judgement.rater == rater:
                mine[judgement.key] = judgement
        return mine

    def append(self, pair: Pair, rater: str, choice: str, rule: str | None = None) -> None:
        """Keep one decision, on disk before the next question is asked."""
        row: dict[str, Any] = {
            "id": pair.id,
            "sample": pair.sample,
            "rater": rater,
            "choice": choice,
            "systems": list(self.systems),
            "answers": pair.fingerprint,
        }
        if rule:
            row["rule"] = rule
        view = memoryview(dumps(row) + b"\n")
        with files.naming_errors(self.name):
            while view:
                view = view[os.write(self._descriptor, view) :]
            os.fsync(self._descriptor)
        self.rows += 1
