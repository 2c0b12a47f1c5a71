"""novelty: the same answer as comparing with every text by ROUGE-L."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.preparing.novelty import Novelty

WORDS = st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join)


def rouge_l(one: str, other: str) -> float:
    a, b = one.split(), other.split()

    def common(i: int, j: int) -> int:
        if not (i and j):
            return 0
        if a[i - 1] == b[j - 1]:
            return common(i - 1, j - 1) + 1
        return max(common(i - 1, j), common(i, j - 1))

    return 2 * common(len(a), len(b)) / max(1, len(a) + len(b))


@given(st.lists(WORDS, max_size=5), WORDS, st.sampled_from([0.3, 0.5, 0.7, 1.0]))
def test_as_if_all_were_compared(there, text, threshold):
    wanted = any(other and rouge_l(text, other) >= threshold for other in there)
    assert Novelty(there).reaches(text, threshold) == (wanted and bool(text))


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("Write a poem about the SEA.", True),
        ("Write a poem about a sea", True),
        ("Write a story of one cat", False),
        ("写一首关于海的诗", False),
    ],
)
def test_like_and_unlike(text, reached):
    assert Novelty(["write a poem about the sea", "写一篇短文"]).reaches(text, 0.7) is reached
