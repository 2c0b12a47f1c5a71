"""ask: prompts of rows, with instructions shown that the seed and the row's id decide."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.errors import UserError
from instructune.records import Record
from instructune.transforms.ask import Options, Transform

SEEDS = [{"id": str(i), "text": f"request number {i} of all"} for i in range(9)]


def asked(transform: Transform, number: int = 0) -> str:
    changes: Counter[str] = Counter()
    (made,) = transform(Record(SEEDS[number]), changes)
    assert changes == {f"asked for a {transform.options.kind}": 1}
    assert made["asks"]["of"] == str(number)
    return made["messages"][0]["content"]


def test_a_paraphrase_shows_the_row_alone():
    assert asked(Transform(Options())).count("request number") == 1


def test_instructions_are_shown_the_row_s_own_among_them(write):
    pool = (write("seeds.jsonl", [*SEEDS, {"id": "z", "text": "写一首关于海的诗吧"}]),)
    options = {"kind": "new-instruction", "pool": pool}
    one = asked(Transform(Options(**options)))
    assert one.count("request number") == 6
    assert "request number 0" in one
    assert "写" not in one
    assert one == asked(Transform(Options(**options)))
    assert one != asked(Transform(Options(seed=1, **options)))
    assert asked(Transform(Options(shown=3, **options)), 4).count("request number") == 3


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"kind": "poem"}, "unknown kind 'poem'"),
        ({"kind": "new-instruction"}, "needs a file of instructions"),
        ({"shown": 0}, "shown must be at least 1"),
    ],
)
def test_what_cannot_be(options, reason):
    with pytest.raises(UserError, match=reason):
        Options(**options)
