"""pii: rows with personal data, wherever it is."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.filters.pii import Filter, Options
from instructune.records import Record


def test_rows():
    drops = Filter(Options())
    assert drops(Record(id="1", text="call 13812345678, a@b.org")) == "personal data (email)"
    assert drops(Record(id="1", tokens=list("13812345678"))) == "personal data (phone)"
    assert drops(Record(id="1", text="version 1.2.3.4")) is None


def test_types_and_columns():
    record = Record(id="1", text="13812345678", note=["a@b.org"])
    assert Filter(Options(types=("email",)))(record) is None
    assert Filter(Options(types=("email",), fields=("note",)))(record) == "personal data (email)"
    with pytest.raises(UserError, match="unknown type 'e-mail'"):
        Options(types=("e-mail",))
