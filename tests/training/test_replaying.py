"""replaying: shares of all rows, samples that are fair, and files with too few rows."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.reading.sources import Reading
from instructune.training.replaying import Replay, replays, reservoir, with_old
from tests.tuning import chats, write_rows


def test_shares() -> None:
    assert replays(["old.jsonl:0.1", "c:/a:b.jsonl:.25"]) == [
        Replay("old.jsonl", 0.1),
        Replay("c:/a:b.jsonl", 0.25),
    ]


@pytest.mark.parametrize("text", ["old.jsonl", "old.jsonl:", ":0.1", "a:0", "a:1", "a:-1", "a:nan"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UserError, match="expected FILE:share, got"):
        replays([text])


def test_shares_that_leave_no_room() -> None:
    with pytest.raises(UserError, match="leave no room for new rows"):
        replays(["a:0.6", "b:0.4"])


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 9))
def test_a_sample_is_a_part_in_order(count: int, size: int, seed: int) -> None:
    found = reservoir(iter(range(count)), size, seed)
    assert found == sorted(set(found))
    assert len(found) == min(count, size)
    assert set(found) <= set(range(count))
    assert found == reservoir(range(count), size, seed)


def test_each_sample_is_as_likely() -> None:
    drawn = Counter(tuple(reservoir(range(5), 2, seed)) for seed in range(3000))
    assert drawn.keys() == set(combinations(range(5), 2))
    # chi-squared with 9 degrees of freedom is below 27.9 in all but one of 1,000 cases
    assert sum((n - 300) ** 2 / 300 for n in drawn.values()) < 27.9


def test_old_rows_follow_the_new(tmp_path: Path) -> None:
    one = write_rows(tmp_path / "one.jsonl", chats(20, start=100))
    two = write_rows(tmp_path / "two.jsonl", chats(3, start=200))
    told: dict[str, dict[str, Any]] = {}

    def tell(replay: Replay, counts: dict[str, Any]) -> None:
        told[replay.file] = counts

    wanted = [Replay(one, 0.2), Replay(two, 0.3)]
    found = [r["id"] for r in with_old(iter(chats(10)), wanted, Reading(), 0, tell)]  # type: ignore[arg-type]
    numbers = [int(name.removeprefix("sum-")) for name in found]
    assert numbers[:10] == list(range(10))
    assert numbers[14:] == [200, 201, 202]
    assert all(100 <= n < 120 for n in numbers[10:14])
    # of 20 rows in all, 4 and 6 are to be old
    assert told == {
        one: {"rows": 4, "wanted": 4, "of": 20},
        two: {"rows": 3, "wanted": 6, "of": 3},
    }
