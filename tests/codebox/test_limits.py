"""limits: all of them hold, and by the clock there is time to spare."""

from __future__ import annotations

import dataclasses

import pytest

from instructune.codebox import Job, Limits
from instructune.errors import Exit, UserError


def test_each_is_looked_at_by_the_tests_of_lockdown():
    names = [field.name for field in dataclasses.fields(Limits)]
    assert names == ["seconds", "memory", "processes", "files"]
    assert Limits(seconds=4).wall == 12


def test_what_the_sandbox_itself_cannot_live_with_is_no_verdict(sandbox):
    with pytest.raises(UserError, match="no sandbox to run code in") as caught:
        sandbox.run([Job("def f(): return 1", "f()")], Limits(files=-1))
    assert caught.value.code == Exit.UNAVAILABLE
    assert sandbox.run([Job("def f(): return 1", "f()")]) == [(True, None)]
