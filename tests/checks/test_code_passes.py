"""code_passes: off by default; where allowed, the answer's code meets its tests."""

from __future__ import annotations

import pytest

from instructune.checking import failures
from instructune.errors import Exit, UserError
from instructune.evaluating import codetests
from instructune.records import Record

RECORD = Record(id="a", tests="assert f(3) == 3")


def failed(answer, **args):
    return failures(answer, [{"check": "code_passes", "args": args}], RECORD)


def test_it_refuses_unless_allowed(monkeypatch):
    monkeypatch.delenv(codetests.VARIABLE, raising=False)
    with pytest.raises(UserError, match="code_passes runs code") as caught:
        failed("def f(x): return x")
    assert caught.value.code == Exit.UNAVAILABLE


def test_allowed_by_the_environment(sandbox, monkeypatch):
    monkeypatch.setenv(codetests.VARIABLE, "1")
    assert failed("```python\ndef f(x): return x\n```") == []
    assert failed("def f(x): return 0") == ["code_passes: AssertionError: at assert f(3) == 3"]
    assert failed("def f(x): return 0", tests="assert f(3) == 0") == []
    looping = failed("while True: pass", seconds=1)
    assert looping == ["code_passes: took more than 1 s of processor time"]
    assert failed("") == ["code_passes: no answer"]
    assert failed("def f(x): return x", seconds=0) == [
        "code_passes: seconds must be from 1 to 3600"
    ]
