"""spool: records come back as they went in, in any order, while more are added."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.reading import spool
from instructune.reading.spool import Spool
from instructune.records import Record

values = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.integers()),
    max_size=3,
)


@given(st.lists(values, max_size=8), st.data())
def test_what_goes_in_comes_out(rows, data):
    with Spool() as found:
        for number, row in enumerate(rows):
            found.append(Record(row))
            place = data.draw(st.integers(0, number))
            assert found[place] == rows[place]
        assert list(found) == rows
        assert len(found) == len(rows)


def test_records_and_bounds(monkeypatch):
    monkeypatch.setattr(spool, "_IN_MEMORY", 10)
    with Spool() as found:
        for i in range(3):
            found.append(Record({"id": str(i), "text": "é\u2028" * 9, "n": 2**70}))
        assert isinstance(found[2], Record)
        assert found[1] == {"id": "1", "text": "é\u2028" * 9, "n": 2**70}
        for wrong in (3, -1):
            with pytest.raises(IndexError):
                found[wrong]
