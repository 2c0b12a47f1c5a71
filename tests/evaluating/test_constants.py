"""constants: the best that can be said without a look at any question."""

from __future__ import annotations

import pytest

from instructune.evaluating.constants import constants
from instructune.evaluating.predictions import Answer


def rows(references, kind):
    return [Answer(None, [reference], kind, {}) for reference in references]


def of(references, kind, most=2):
    answers = rows(references, kind)
    return constants(answers, answers, most)


def test_the_most_frequent_references_come_first_and_the_smallest_of_equals():
    assert of(["c", "b", "a", "c", "b", "d"], "label")[:2] == ["b", "c"]


def test_of_texts_one_that_shares_most_and_one_made_of_the_commonest_words():
    texts = ["the cat sat", "the cat ran", "the cat", "a dog"]
    # two words: 2 * (3 + 3) / 4 / (2 + 2.5) = 0.67; a third that one text has makes it 0.64
    assert of(texts, "text", 1) == ["a dog", "the cat", "cat the"]


def test_chinese_words_are_characters_without_blanks_between():
    assert of(["你好吗", "你好", "他好"], "text", 1) == ["他好", "你好", "好你"]


def test_of_numbers_median_and_mean():
    assert of([1.0, 2.0, 9.0], "number", 1) == [1.0, 2.0, 4.0]


def test_of_tags_the_commonest_each():
    assert of([["O", "O", "B"], ["O", "I", "B"]], "tags") == [["O"], ["B"], ["I"]]


def test_of_lists_the_commonest_items_together():
    assert of([["a", "b"], ["a", "b"], ["a", "c"]], "labels", 1) == [["a", "b"]]
    assert of([["a"], ["b"], ["a", "b", "c"]], "labels", 1)[-1] == ["a", "b"]


@pytest.mark.parametrize("texts", [["", ""], ["?", "!"]])
def test_texts_without_words(texts):
    assert of(texts, "text", 1) == [min(texts)]


def test_the_sample_tells_what_is_shared_and_all_rows_what_is_frequent():
    answers = rows(["x"] * 3 + ["a b"] * 2, "text")
    assert constants(answers, answers[3:], 1) == ["x", "a b"]


def test_a_row_shares_what_any_of_its_references_holds():
    answers = [Answer(None, ["a b", "b c"], "text", {}), Answer(None, ["c d"], "text", {})]
    # b c: (1 + 2) / (2 + 2); all four: the mean of 2 * 3 / (4 + 2) and 2 * 2 / (4 + 2)
    assert constants(answers, answers, 1) == ["a b", "b c", "c a b d"]
