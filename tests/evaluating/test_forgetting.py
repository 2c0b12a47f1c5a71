"""forgetting: ids kept, lost, gained and missed, counted by hand."""

from __future__ import annotations

import random

import pytest

from instructune.evaluating.forgetting import forgetting
from instructune.evaluating.predictions import Answer


def side(rows):
    """Answers of (id, task, prediction); the reference is always `y`."""
    return [
        Answer(said, ["y"], "text", {"id": name, "sample": i, "task": task})
        for i, (name, task, said) in enumerate(rows)
    ]


KEYS = [("a", "qa"), ("b", "qa"), ("c", "qa"), ("d", "nli"), ("e", "nli"), ("f", "nli")]
BEFORE = side([(*key, said) for key, said in zip(KEYS, "yynnnn", strict=True)])
AFTER = side([(*key, said) for key, said in zip(KEYS, "ynyyny", strict=True)])


def test_each_task():
    found = forgetting(["exact_match"], AFTER, BEFORE, [])
    counts = [tuple(f[k] for k in ("n", "kept", "lost", "gained", "missed")) for f in found]
    assert [f["by"] for f in found] == [{"task": "nli"}, {"task": "qa"}]
    assert counts == [(3, 0, 0, 2, 1), (3, 1, 1, 1, 0)]
    assert [f["metric"] for f in found] == ["exact_match"] * 2
    assert [f["p"] for f in found] == [0.5, 1.0]
    assert [f["p_adjusted"] for f in found] == [1.0, 1.0]
    assert "p_adjusted" not in forgetting(["exact_match"], AFTER, BEFORE, [], adjust="none")[0]

    clustered = forgetting(["exact_match"], AFTER, BEFORE, [], clustered=True)
    assert [f["p"] for f in clustered] == [None, None]


def test_samples_of_an_id_are_one():
    before = side([("a", "t", "y"), ("a", "t", "n"), ("b", "t", "n"), ("b", "t", "n")])
    after = side([("a", "t", "n"), ("a", "t", "y"), ("b", "t", "n"), ("b", "t", "y")])
    (found,) = forgetting(["exact_match"], after, before, [])
    assert (found["n"], found["kept"], found["gained"], found["lost"]) == (2, 1, 1, 0)


def test_other_fields_and_rows_without_them():
    plain = [a._replace(row={"id": a.row["id"], "lang": "en"}) for a in AFTER]
    assert forgetting(["exact_match"], plain, BEFORE, []) == []
    assert [f["by"] for f in forgetting(["exact_match"], plain, BEFORE, ["lang", "lang"])] == [
        {"lang": "en"}
    ]
    some = [AFTER[0], *plain[1:]]
    assert [f["by"] for f in forgetting(["exact_match"], some, BEFORE, ["task"])] == [
        {"task": "qa"},
        {"task": None},
    ]


def test_an_error_is_lost():
    after = [AFTER[0]._replace(prediction=None), *AFTER[1:]]
    assert forgetting(["exact_match"], after, BEFORE, [])[1]["lost"] == 2


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_changes_nothing(seed):
    pairs = list(zip(AFTER, BEFORE, strict=True))
    random.Random(seed).shuffle(pairs)
    after, before = map(list, zip(*pairs, strict=True))
    found = forgetting(["token_f1"], after, before, [])
    assert found == forgetting(["token_f1"], AFTER, BEFORE, [])
