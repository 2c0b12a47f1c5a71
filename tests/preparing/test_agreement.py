"""agreement: the same figures as from all rows at once, equal rows kept once, lists bounded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.preparing.agreement import Agreement, tables
from instructune.preparing.annotators import agreement
from instructune.records import Record


def seen(rows: list[dict[str, Any]], listed: int = 50, **more: Any) -> Agreement:
    found = Agreement(listed)
    records = [Record(id=str(i), text="t", annotations=row, **more) for i, row in enumerate(rows)]
    assert list(found.passing(records)) == records
    return found


ROWS = [{"ann": "x", "bob": "y"}, {"ann": "x", "bob": "x"}, {"ann": "y", "bob": "y", "eve": "x"}]


def test_what_is_told():
    facts = seen([*ROWS, {"ann": "x", "bob": None}, {}]).facts()
    assert (facts["rows"], facts["compared"], facts["disagreeing"]) == (4, 3, 2)
    assert facts["annotators"] == ["ann", "bob", "eve"]
    # 3 rows of both: 2 alike; ann x x y, bob y x y: p_e = 2/3 * 1/3 + 1/3 * 2/3
    assert facts["cohen_kappa"]["ann, bob"] == {"kappa": pytest.approx(2 / 5), "n": 3}
    assert facts["disagreements"] == [
        {
            "id": "0",
            "values": [
                {"value": "x", "annotators": ["ann"]},
                {"value": "y", "annotators": ["bob"]},
            ],
        },
        {
            "id": "2",
            "values": [
                {"value": "y", "annotators": ["ann", "bob"]},
                {"value": "x", "annotators": ["eve"]},
            ],
        },
    ]


values = st.one_of(st.none(), st.sampled_from(["a", "b", "1"]), st.integers(0, 2), st.floats(0, 1))
rows = st.lists(st.dictionaries(st.sampled_from("pqr"), values, max_size=3), max_size=20)


@given(rows)
def test_as_from_all_rows_at_once(given_rows):
    facts = seen(given_rows).facts()
    told = [row for row in given_rows if any(value is not None for value in row.values())]
    for name, expected in agreement(told).items():
        if isinstance(expected, float):
            expected = pytest.approx(expected, abs=1e-9)
        elif name == "cohen_kappa":
            expected = {
                pair: {"kappa": pytest.approx(one["kappa"], abs=1e-9), "n": one["n"]}
                for pair, one in expected.items()
            }
        assert facts[name] == expected


def test_equal_rows_are_kept_once_and_lists_are_bounded():
    found = seen(ROWS * 100, listed=3)
    assert len(found._rows) == 3
    assert found.facts()["rows"] == 300
    assert [row["id"] for row in found.facts()["disagreements"]] == ["0", "2", "3"]
    assert found.disagreeing == 200
    many = seen([{f"a{i:02}": "x" for i in range(12)}, {"a00": "x", "a01": "y"}]).facts()
    assert (len(many["cohen_kappa"]), many["pairs"]) == (50, 66)
    assert next(iter(many["cohen_kappa"].items()))[1]["n"] == 2
    long = seen([{"a": "x" * 999, "b": "y"}]).facts()["disagreements"][0]["values"]
    assert [len(said["value"]) for said in long] == [200, 1]


def test_nothing_to_tell():
    assert not seen([{}, {"a": None}])
    assert not seen(ROWS, augmented="noise")
    assert seen([{"a": "x"}])


def test_tables_for_people():
    found = tables(seen(ROWS).facts())
    assert list(found) == [
        "Agreement of annotators", "Cohen's kappa by pair", "Disagreements: 2 of 3 rows",
    ]  # fmt: skip
    coefficients, pairs, unlike = found.values()
    assert [row["coefficient"] for row in coefficients] == ["Krippendorff's alpha"]
    assert {"pair": "ann, bob", "kappa": 0.4, "rows": 3} in pairs
    assert unlike[1] == {"id": "2", "values": "y (ann, bob); x (eve)"}
    alike = tables(seen([{"a": "x", "b": "x"}]).facts())
    assert [row["value"] for row in alike["Agreement of annotators"]] == [
        "undefined: all alike", "undefined: all alike",
    ]  # fmt: skip
