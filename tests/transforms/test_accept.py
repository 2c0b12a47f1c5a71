"""accept: predictions to records, counted by kind."""

from __future__ import annotations

from collections import Counter

from instructune.records import Record
from instructune.transforms.accept import Transform

ASKED = {"id": "q", "messages": [{"role": "user", "content": "Hi"}], "sample": 0}


def test_answers_are_taken_in():
    changes: Counter[str] = Counter()
    accept = Transform(None)
    (made,) = accept(Record(ASKED | {"prediction": "Ho", "finish_reason": "stop"}), changes)
    assert made["messages"][-1]["content"] == "Ho"
    (bad,) = accept(Record(ASKED | {"prediction": None, "finish_reason": "error"}), changes)
    assert bad["unusable"] == "the model gave no answer"
    plain = Record(ASKED)
    assert accept(plain, changes)[0] is plain
    assert changes == {"accepted: answer": 1}
