"""The answer is Python code that passes the row's tests, run in a sandbox, where that is allowed.

Off by default: without INSTRUCTUNE_ALLOW_CODE=1 in the environment, or `eval --allow-code`, it
refuses with code 69, and so it does where there is no sandbox; code never runs unprotected.
Tests are `tests`, `test` with `entry_point`, or `test_list` of the row; or of the check's args.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from instructune.codebox import Limits
from instructune.errors import usage
from instructune.evaluating.codetests import box, job_of, refuse_unless_allowed
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """Code that tests the answer in place of the row's, and seconds of processor time."""

    tests: str = ""
    seconds: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= 3600:
            raise usage("seconds must be from 1 to 3600")


RUNS_CODE = True


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    refuse_unless_allowed("code_passes")
    row = record | {"tests": options.tests} if options.tests else record
    job = job_of(row, answer)
    return box(os.getpid()).run([job], Limits(seconds=options.seconds))[0].reason
