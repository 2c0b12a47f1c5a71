"""pair_preference: which sentence of a pair is likelier."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from tests.scored import answered, measured


def pairs(*sums, variants="12", field="variant"):
    """Rows of pairs with these log-probabilities."""
    flat = [value for pair in sums for value in pair]
    return answered(
        [""] * len(flat),
        [""] * len(flat),
        group=[f"g{i // 2}" for i in range(len(flat))],
        reference_logprob=[{"sum": value, "tokens": 3, "bytes": 9} for value in flat],
        **{field: [variants[i % 2] for i in range(len(flat))]},
    )


def test_the_first_of_a_pair_is_likelier_less_likely_or_as_likely():
    assert measured("pair_preference", pairs((-1, -2), (-3, -2), (-1, -4), (-2, -2))) == 2.5 / 4
    other = pairs((-1, -2), variants="ab", field="which")
    found = measured("pair_preference:field=which,first=b,second=a", other)
    assert found == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pairs((-1, -2))[:1], "the pair 'g0' lacks one of '1' and '2'"),
        (pairs((-1, -2), variants="11"), "has variant '1' a second time"),
        (pairs((-1, -2), variants="ab"), "no row has a variant of '1' or '2'"),
    ],
)
def test_pairs_must_be_whole(rows, message):
    with pytest.raises(UserError, match=message):
        measured("pair_preference", rows)
