"""Rows with tests in, verdicts on their answers out: which fields are read, and who allows it.

Running code that a model wrote is off unless asked for: `eval --allow-code`, or for checks the
environment variable INSTRUCTUNE_ALLOW_CODE=1. It then runs in a sandbox or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, NoReturn

from instructune.codebox import Box, Job, Limits, Verdict
from instructune.errors import Exit, UserError
from instructune.records import Record

VARIABLE = "INSTRUCTUNE_ALLOW_CODE"
NO_ANSWER = Verdict(False, "no answer")

_asked: ContextVar[bool] = ContextVar("allow_code", default=False)
_verdicts: dict[tuple[Job, Limits], Verdict] = {}


@contextmanager
def allowing(asked: bool) -> Iterator[None]:
    """Inside, code may run where `asked`, whatever the environment says."""
    before = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(before)


def refuse_unless_allowed(what: str) -> None:
    """UserError with code 69 where nobody allowed code to run."""
    if not _asked.get() and os.environ.get(VARIABLE) != "1":
        raise UserError(
            f"{what} runs code that a model wrote, which is off unless you allow it",
            hint=f"eval --allow-code, or {VARIABLE}=1 in the environment",
            code=Exit.UNAVAILABLE,
        )


def job_of(row: Mapping[str, Any], answer: str) -> Job:
    """The answer with the tests of its row; UserError where the row has none.

    Read are `tests` (code or a list of it, `entry_point` if it is there), `test` with
    `entry_point` as in HumanEval, or `test_list` with `test_setup_code` and `test_imports` as in
    MBPP. The prompt is the last user turn.
    """
    record = Record(row)
    prompt = next((m["content"] for m in reversed(_turns(row)) if m["role"] == "user"), "")
    return Job(
        answer,
        _tests(row),
        prompt=prompt if isinstance(prompt, str) else "",
        entry=_text(row, "entry_point") or None,
        setup="\n".join([_text(row, "test_setup_code"), *_texts(row, "test_imports")]),
        references=tuple(text for text in record.references() if isinstance(text, str)),
    )


def _turns(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    turns = row.get("messages")
    return turns if isinstance(turns, list) else []


def _tests(row: Mapping[str, Any]) -> str:
    for name in ("tests", "test", "test_list"):
        if tests := "\n".join(_texts(row, name)).strip():
            if name == "test" and not _text(row, "entry_point"):
                _refuse(row, "has test, but no entry_point to test")
            return tests
    return _refuse(row, "has no tests (tests, test with entry_point, or test_list)")


def _texts(row: Mapping[str, Any], name: str) -> list[str]:
    found = row.get(name) or []
    texts = found if isinstance(found, list) else [found]
    if not all(isinstance(text, str) for text in texts):
        _refuse(row, f"{name} must be a string or a list of strings")
    return texts


def _text(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name) or ""
    return found if isinstance(found, str) else _refuse(row, f"{name} must be a string")


def _refuse(row: Mapping[str, Any], reason: str) -> NoReturn:
    raise UserError(
        f"id {row.get('id')!r}: {reason}", hint="name the file that has them: --references FILE"
    )


def verdicts(jobs: Sequence[Job | None], limits: Limits) -> list[Verdict]:
    """A verdict a job, None being no answer; a job that ran before is not run again."""
    new = {job: None for job in jobs if job and (job, limits) not in _verdicts}
    for job, verdict in zip(new, box(os.getpid()).run(list(new), limits), strict=True):
        _verdicts[job, limits] = verdict
    return [_verdicts[job, limits] if job else NO_ANSWER for job in jobs]


@lru_cache(maxsize=1)
def box(process: int) -> Box:
    """This process's sandbox, kept for all its jobs; it ends with the process."""
    return Box()
