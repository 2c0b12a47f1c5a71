"""bleu, with what the sacrebleu metrics share: its numbers from sums, its signature, its zh."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.evaluating.measuring import Metric
from tests.scored import HYPOTHESES, REFERENCES, answered, measured, resampled

TEXTS = st.lists(
    st.sampled_from(["the", "The", "cat", "猫", "。", "3.5", "on", "mats"]), max_size=9
).map(" ".join)
ROWS = st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=3)), min_size=1, max_size=5)


def by_sacrebleu(oracle, rows) -> float:
    """Its corpus score, of rows that need not have the same number of references."""
    streams = [[refs[i] if i < len(refs) else None for _, refs in rows] for i in range(3)]
    used = [stream for stream in streams if any(text is not None for text in stream)]
    texts = [text for text, _ in rows]
    return oracle._aggregate_and_compute(oracle._extract_corpus_statistics(texts, used)).score


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("bleu", 61.205442433403654),
        ("bleu:tokenize=13a", 61.205442433403654),
        ("bleu:tokenize=none", 54.47135763158063),
        ("bleu:tokenize=intl", 63.23128373418875),
        ("bleu:tokenize=char", 67.16344694890178),
        ("bleu:smooth=add-k", 62.90970523522616),
    ],
)
def test_reference_vectors(spec, expected):
    assert measured(spec, answered(HYPOTHESES, REFERENCES)) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(
    ROWS,
    st.sampled_from(["exp", "floor", "add-k", "none"]),
    st.sampled_from(["13a", "zh", "intl", "char", "none"]),
    st.booleans(),
)
def test_it_is_sacrebleu(rows, smooth, tokenize, lowercase):
    answers = answered(*zip(*rows, strict=True))
    oracle = sacrebleu.BLEU(tokenize=tokenize, smooth_method=smooth, lowercase=lowercase)
    expected = by_sacrebleu(oracle, rows)
    spec = f"bleu:smooth={smooth},tokenize={tokenize},lowercase={lowercase}"
    assert measured(spec, answers) == pytest.approx(expected, abs=1e-9)
    assert f"sacrebleu({oracle.get_signature()})" == Metric(spec, answers).SIGNATURE


def test_sums_of_many_resamples_at_once():
    answers = answered(HYPOTHESES, REFERENCES)
    weights = np.array([[1.0, 1, 1, 1, 1], [2, 0, 0, 3, 0], [0, 0, 0, 5, 0]])
    picked = [[0, 1, 2, 3, 4], [0, 0, 3, 3, 3], [3] * 5]
    expected = [measured("bleu", [answers[i] for i in rows]) for rows in picked]
    assert resampled("bleu", answers, weights) == pytest.approx(expected, abs=1e-9)
    assert expected[2] == 0


def test_chinese_is_cut_by_characters_and_the_signature_says_so():
    answers = answered(["今天天气很好。"], ["今天的天气很好。"])
    expected = sacrebleu.corpus_bleu(["今天天气很好。"], [["今天的天气很好。"]], tokenize="zh")
    assert "tok:zh" in Metric("bleu", answers).SIGNATURE
    assert measured("bleu", answers) == pytest.approx(expected.score, abs=1e-9)
    assert "tok:13a" in Metric("bleu", answered(["x"], ["a text"])).SIGNATURE
    assert "nrefs:var" in Metric("bleu", answered(["x", "y"], ["a", ["b", "c"]])).SIGNATURE


def test_an_error_is_an_empty_answer():
    right = ["one two three four five"] * 2
    empty = measured("bleu", answered([right[0], ""], right))
    assert measured("bleu", answered([right[0], None], right)) == empty
    assert empty == pytest.approx(100 * np.exp(-1))
    assert measured("bleu", answered(right, right)) == pytest.approx(100)
