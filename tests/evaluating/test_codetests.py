"""codetests: which fields are tests, who may run them, and that a job runs once."""

from __future__ import annotations

import os

import pytest

from instructune.codebox import Job, Limits, Verdict
from instructune.errors import Exit, UserError
from instructune.evaluating import codetests

ASKED = {"role": "user", "content": "def f(x):\n"}
ANSWERED = {"role": "assistant", "content": "    return x"}


def row(**fields):
    return {"id": "a", "messages": [ASKED, ANSWERED], **fields}


def test_a_row_of_human_eval():
    found = codetests.job_of(row(test="def check(c): ...", entry_point="f"), "  return 1")
    assert found == Job(
        "  return 1",
        "def check(c): ...",
        prompt="def f(x):\n",
        entry="f",
        setup="",
        references=("    return x",),
    )


def test_a_row_of_mbpp():
    found = codetests.job_of(
        row(
            test_list=["assert f(1) == 1", "assert f(2) == 2"],
            test_setup_code="A = 1",
            test_imports=["import math", "import re"],
        ),
        "code",
    )
    assert found.tests == "assert f(1) == 1\nassert f(2) == 2"
    assert found.setup == "A = 1\nimport math\nimport re"
    assert found.entry is None


def test_tests_go_before_others():
    found = codetests.job_of(row(tests="assert f", test="t", test_list=["l"]), "c")
    assert found.tests == "assert f"
    assert codetests.job_of({"id": "b", "tests": ["a", "b"]}, "c").tests == "a\nb"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "id 'a': has no tests"),
        ({"tests": " ", "test_list": []}, "id 'a': has no tests"),
        ({"test": "def check(c): ..."}, "has test, but no entry_point"),
        ({"tests": 3}, "tests must be a string or a list of strings"),
        ({"tests": "t", "entry_point": 3}, "entry_point must be a string"),
    ],
)
def test_rows_that_cannot_be_tested(fields, reason):
    with pytest.raises(UserError, match=reason) as caught:
        codetests.job_of(row(**fields), "code")
    assert caught.value.code == Exit.BAD_DATA


def test_nobody_allows_it_unless_asked(monkeypatch):
    monkeypatch.delenv(codetests.VARIABLE, raising=False)
    with pytest.raises(UserError, match="off unless you allow it") as caught:
        codetests.refuse_unless_allowed("x")
    assert caught.value.code == Exit.UNAVAILABLE
    assert "--allow-code" in caught.value.hint
    with codetests.allowing(True):
        codetests.refuse_unless_allowed("x")
    with codetests.allowing(False), pytest.raises(UserError):
        codetests.refuse_unless_allowed("x")
    for value, allowed in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv(codetests.VARIABLE, value)
        if allowed:
            codetests.refuse_unless_allowed("x")
        else:
            with pytest.raises(UserError):
                codetests.refuse_unless_allowed("x")


def test_a_job_runs_once(monkeypatch):
    ran = []

    class Fake:
        def run(self, jobs, limits):
            ran.extend(jobs)
            return [Verdict(job.answer == "right", None) for job in jobs]

    monkeypatch.setattr(codetests, "_verdicts", {})
    monkeypatch.setattr(codetests, "box", lambda process: Fake())
    right, wrong = Job("right", "t"), Job("wrong", "t")
    for _ in range(2):
        found = codetests.verdicts([right, None, wrong, right], Limits())
        assert [verdict.passed for verdict in found] == [True, False, False, True]
        assert found[1].reason == "no answer"
    assert ran == [right, wrong]
    codetests.verdicts([right], Limits(seconds=9))
    assert ran == [right, wrong, right]


def test_a_forked_process_has_a_box_of_its_own():
    assert codetests.box(os.getpid()) is codetests.box(os.getpid())
    assert codetests.box(-1) is not codetests.box(-2)
