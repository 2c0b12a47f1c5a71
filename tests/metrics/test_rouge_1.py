"""rouge_1, with what the ROUGE metrics share: rouge-score's numbers, its stems, other scripts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer

from instructune.metrics._porter import _DROPPED, _STEP_2, _STEP_3, stem
from tests.scored import answered, measured

HYPOTHESIS = "The cat sat on the mats.\nIt was running happily."
REFERENCE = "A cat is sitting on the mat.\nIt ran happily!"
TEXTS = st.lists(
    st.sampled_from(
        [
            "The",
            "cats",
            "cat",
            "sat",
            "happily",
            "running",
            "runs,",
            "don't",
            "3.5",
            "U.S.A.",
            "on",
            "_",
            "ties",
        ]
    ),
    max_size=12,
).map(" ".join)
ROUGE_ROWS = st.lists(
    st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=3)), min_size=1, max_size=4
)


def by_rouge_score(name, rows, stemmer) -> float:
    scorer = RougeScorer([name], use_stemmer=stemmer)
    found = [scorer.score_multi(references, text)[name].fmeasure for text, references in rows]
    return sum(found) / len(found)


@pytest.mark.parametrize(("spec", "expected"), [("rouge_1", 0.5), ("rouge_1:stemmer=true", 0.6)])
def test_reference_vectors(spec, expected):
    assert measured(spec, answered([HYPOTHESIS], [REFERENCE])) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(ROUGE_ROWS, st.booleans())
def test_it_is_rouge_score(rows, stemmer):
    expected = by_rouge_score("rouge1", rows, stemmer)
    found = measured(f"rouge_1:stemmer={stemmer}", answered(*zip(*rows, strict=True)))
    assert found == pytest.approx(expected, abs=1e-9)


@settings(max_examples=40)
@given(st.text(max_size=30), st.text(max_size=30), st.booleans())
def test_ascii_tokens_are_rouge_score_on_any_text(text, reference, stemmer):
    expected = by_rouge_score("rouge1", [(text, [reference])], stemmer)
    spec = f"rouge_1:tokens=ascii,stemmer={stemmer}"
    assert measured(spec, answered([text], [reference])) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "reference", "unicode", "ascii"),
    [
        ("今天天气很好", "今天天气很好。", 1.0, 0.0),
        ("今天 3 点", "今天3点", 1.0, 1.0),
        ("天天", "天", 2 / 3, 0.0),
        ("Привет, мир", "привет мир", 1.0, 0.0),
        ("a café", "a cafe", 0.5, 0.5),
        ("naïve", "na ve", 0.0, 1.0),
    ],
)
def test_other_scripts(text, reference, unicode, ascii):
    answers = answered([text], [reference])
    assert measured("rouge_1", answers) == pytest.approx(unicode)
    assert measured("rouge_1:tokens=ascii", answers) == pytest.approx(ascii)


def test_errors_and_empty_texts_share_nothing():
    assert measured("rouge_1", answered(["a", None, ""], ["a", "b", ""])) == pytest.approx(1 / 3)


def test_stems_are_nltks():
    """Words made of the rules' own suffixes, and of letters that make measures and doubles."""
    draw, theirs = random.Random(0), PorterStemmer()
    suffixes = [*_STEP_2, *_STEP_3, *_DROPPED, "y", "ed", "ing", "ies", "ied", "eed", "sses", "s"]
    suffixes += ["e", "ll", "at", "bl", "iz", "logi", "logy", "ily", "ally", "ss", ""]
    words = {
        "".join(draw.choices("aeioubcdlstyzwx", k=draw.randint(0, 5)))
        + "".join(draw.choices(suffixes, k=draw.randint(0, 2)))
        for _ in range(15_000)
    }
    words |= set(
        [
            "sky",
            "skies",
            "dying",
            "lying",
            "tying",
            "news",
            "inning",
            "innings",
            "outings",
            "cannings",
            "howe",
        ]
    )
    words |= set(
        [
            "proceed",
            "exceed",
            "succeed",
            "died",
            "dies",
            "feed",
            "agreed",
            "geology",
            "running",
            "3rd",
        ]
    )
    wrong = {word: (stem(word), theirs.stem(word)) for word in words if word}
    assert {word: pair for word, pair in wrong.items() if pair[0] != pair[1]} == {}
