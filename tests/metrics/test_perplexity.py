"""perplexity: weighted by tokens, refused where the field is not there."""

from __future__ import annotations

import math

import pytest

from instructune.errors import UserError
from tests.scored import answered, measured

LOGPROBS = [
    {"sum": -3 * math.log(2), "tokens": 3, "bytes": 9},
    {"sum": -math.log(32), "tokens": 1, "bytes": 1},
]


def logged(rows):
    return answered(["x"] * len(rows), ["y"] * len(rows), reference_logprob=rows)


def test_it_is_of_all_tokens_and_no_mean_of_texts():
    assert measured("perplexity", logged(LOGPROBS)) == pytest.approx(4)  # 8 bits, 4 tokens


@pytest.mark.parametrize("name", ["perplexity", "bits_per_byte"])
@pytest.mark.parametrize(
    "field", [None, 3, {}, {"sum": -1.0}, {"sum": math.inf, "tokens": 1, "bytes": 1}]
)
def test_a_row_without_it_is_refused(name, field):
    with pytest.raises(UserError, match="id '0001': reference_logprob must be .sum, "):
        measured(name, logged([LOGPROBS[0], field]))


def test_what_writes_the_field_is_told():
    with pytest.raises(UserError) as caught:
        measured("perplexity", answered(["x"], ["y"]))
    assert str(caught.value) == (
        "id '0000': has no reference_logprob ({sum, tokens})\n"
        "  hint: generate --score-references writes it"
    )
