"""self_bleu: sacrebleu's sentence score against all other answers."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from tests.scored import answered, measured

TEXTS = st.lists(st.lists(st.sampled_from("ab.c"), max_size=7).map(" ".join), min_size=2)


def texts(*predictions):
    return answered(predictions, ["-"] * len(predictions))


@settings(max_examples=60)
@given(TEXTS)
def test_it_is_sacrebleus_sentence_score(predictions):
    oracle = sacrebleu.BLEU(effective_order=True)
    each = [
        oracle.sentence_score(text, predictions[:i] + predictions[i + 1 :]).score
        for i, text in enumerate(predictions)
    ]
    assert measured("self_bleu", texts(*predictions)) == pytest.approx(np.mean(each), abs=1e-9)


def test_errors_and_copies_are_worst():
    assert measured("self_bleu", texts("a b c d", "a b c d")) == 100
    assert measured("self_bleu", texts("a b c d", "e f g h", None)) == pytest.approx(100 / 3)


def test_among_the_samples_of_an_id():
    rows = [("1", "a b c d"), ("1", "a b c d"), ("2", "a b c d"), ("2", "e f g h")]
    answers = [Answer(text, ["-"], "text", {"id": name}) for name, text in rows]
    assert measured("self_bleu:among=samples", answers) == 50
    assert measured("self_bleu", answers) == 75
    with pytest.raises(UserError, match="id '2' has no other answer"):
        measured("self_bleu:among=samples", answers[:3])


def test_tokenizers():
    answers = answered(["今天好", "今天坏"], ["今天", "今天"])
    assert measured("self_bleu", answers) > 0 == measured("self_bleu:tokenize=none", answers)
    assert Metric("self_bleu", answers).SIGNATURE.endswith("|among:all|tok:zh")
    named = Metric("self_bleu:tokenize=char,among=samples", answers).SIGNATURE
    assert named.endswith("|among:samples|tok:char")
