"""perplexity: weighted by tokens, refused where the field is not there."""

from __future__ import annotations

import math

import pytest

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.evaluating.systems import System, units_of
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
    "field",
    [
        None,
        3,
        {},
        {"sum": -1.0},
        {"sum": math.inf, "tokens": 1, "bytes": 1},
        {"sum": 2.5, "tokens": 1, "bytes": 1},  # a loss, which is a logarithm turned round
        {"sum": -1e200, "tokens": 1, "bytes": 1},
    ],
)
def test_a_row_without_it_is_refused(name, field):
    with pytest.raises(UserError, match="id '0001': reference_logprob must be .sum, "):
        measured(name, logged([LOGPROBS[0], field]))


def test_what_writes_the_field_is_told():
    with pytest.raises(UserError) as caught:
        measured("perplexity", answered(["x"], ["y"]))
    assert str(caught.value) == (
        "id '0000': has no reference_logprob ({sum, tokens} with a sum of 0 at most)\n"
        "  hint: generate --score-references writes it"
    )


def test_a_sum_of_certainties_may_be_rounded_up():
    assert measured("perplexity", logged([{"sum": 1e-6, "tokens": 3}])) == pytest.approx(1)


def test_a_model_beyond_all_bounds_is_no_bug_of_ours():
    """Surprisals of 1e5 nats a token have no perplexity that a float holds, but bits a byte."""
    rows = logged([{"sum": -1e5, "tokens": 1, "bytes": 4}] * 3)
    with pytest.raises(UserError, match="perplexity is no finite number"):
        System(Metric("perplexity"), rows, units_of(rows, None), {})
    assert measured("bits_per_byte", rows) == pytest.approx(25e3 / math.log(2))
