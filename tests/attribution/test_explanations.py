"""explanations: what is shown is what is there, and nothing in a row becomes markup."""

from __future__ import annotations

from typing import Any

import pytest

from instructune.attribution.explanations import is_explanation, lines


def explanation(**more: Any) -> dict[str, Any]:
    found = {"method": "gradient", "target": "the answer", "tokens": ["a", " b\n"]}
    return found | {"values": [0.5, -1.0], "check": {"score": -2.5}} | more


MAP = {"answer": ["x", "y"], "map": [[0.75, 0.25], [0.5, 0.5]]}
NEAR = {"neighbours": [{"id": "t1", "similarity": 0.5, "prompt": "q", "answer": "a"}]}


def test_lines_for_a_terminal():
    assert lines(explanation()) == [
        "gradient: the answer",
        "score -2.5",
        f"{'-1':>10}  {'█' * 20}  ' b\\n'",
        f"{'+0.5':>10}  {'█' * 10}{' ' * 10}  'a'",
    ]
    bare = {"method": "neighbours", "target": "cosine"} | NEAR
    assert lines(bare) == ["neighbours: cosine", "       0.5  t1  q -> a"]
    assert lines({"method": "gradient", "target": "t", "error": "too long"}) == [
        "gradient: t",
        "not explained: too long",
    ]


@pytest.mark.parametrize("more", [{}, MAP, NEAR, {"tokens": [], "values": []}])
def test_what_is_one(more):
    assert is_explanation(explanation(**more))


@pytest.mark.parametrize(
    "value",
    [
        "because",
        None,
        [],
        {},
        {"method": "gradient"},
        explanation(values=[1.0]),
        explanation(values=[1.0, "2"]),
        explanation(values=None),
        explanation(tokens=["a", 1]),
        explanation(answer=["x"], map=[]),
        explanation(answer=["x"], map=[[1.0]]),
        explanation(answer=["x"], map=[1]),
        explanation(neighbours=["x"]),
        explanation(neighbours=[{"id": "x"}]),
        explanation(check=1),
    ],
)
def test_what_is_none(value):
    assert not is_explanation(value)
