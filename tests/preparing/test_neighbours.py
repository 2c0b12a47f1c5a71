"""neighbours: pairs at the threshold are found, pairs below it never joined."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.preparing import neighbours
from instructune.preparing.neighbours import Neighbours, jaccard

WORDS = [f"w{i}" for i in range(5000)]


def clusters(texts: list[str], **settings: float) -> list[int]:
    found = Neighbours(**settings)
    for start in range(0, len(texts), 7):  # however they are cut
        found.add(found.sign(texts[start : start + 7]))
    return found.clusters(texts.__getitem__)


def test_jaccard():
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5
    assert jaccard(set(), {1}) == 0
    assert jaccard(set(), set()) == 1


def test_the_similarity_is_that_of_word_ngrams():
    # 8 words make 6 trigrams; the last word differs: 5 shared of 7
    a, b = "a b c d e f g h", "A, b c d e f g x!"
    assert clusters([a, b], threshold=5 / 7) == [0, 0]
    assert clusters([a, b], threshold=0.72) == [0, 1]
    assert clusters([a, b], threshold=7 / 9, ngram=1) == [0, 0]
    assert clusters([a, b], threshold=0.78, ngram=1) == [0, 1]


def test_chinese_by_the_character():
    texts = ["把下面的句子翻译成英文并且保持语气", "把下面的句子翻译成英文并且保持口气", "写一首诗"]
    assert clusters(texts, threshold=0.7) == [0, 0, 2]


def test_short_and_empty_texts():
    assert clusters(["yes", "Yes.", "no", "", " ", "!", "?", "!"], threshold=0.8) == [
        0, 0, 2, 3, 3, 5, 6, 5,
    ]  # fmt: skip
    assert clusters([], threshold=0.8) == []


def test_clusters_are_joined_by_their_links():
    base = [f"t{i}" for i in range(40)]
    chain = [" ".join([*base[k:], *(f"n{j}" for j in range(k))]) for k in (0, 2, 4, 6)]
    found = Neighbours(0.8, 1)
    ends = jaccard(found.shingles(chain[0]), found.shingles(chain[3]))
    assert ends < 0.8 < jaccard(found.shingles(chain[0]), found.shingles(chain[1]))
    assert clusters(["other", *chain], threshold=0.8, ngram=1) == [0, 1, 1, 1, 1]


def planted(count: int, seed: int) -> list[str]:
    """Pairs of texts with a similarity of exactly 0.8: 36 shared of 45 words."""
    draw = random.Random(seed)
    texts = []
    for _ in range(count):
        shared = draw.sample(WORDS, 45)
        texts += [" ".join(shared[:41]), " ".join(shared[:36] + shared[41:45])]
    return texts


def test_planted_pairs_are_found():
    texts = planted(500, 1)
    found = clusters(texts, threshold=0.8, ngram=1)
    assert sum(found[i] == found[i + 1] for i in range(0, 1000, 2)) >= 495  # 0.999 expected
    assert all(found[i] == i for i in range(0, 1000, 2))


def test_great_buckets_are_joined_too(monkeypatch):
    monkeypatch.setattr(neighbours, "_ALL_PAIRS", 4)
    texts = ["the very same words every time"] * 50 + ["and something else entirely here"] * 3
    assert clusters(texts, threshold=0.9) == [0] * 50 + [50] * 3


letters = st.lists(st.sampled_from("abcde"), min_size=1, max_size=12).map(" ".join)


@given(st.lists(letters, max_size=12), st.sampled_from([0.5, 0.8, 1.0]))
def test_no_pair_below_the_threshold_is_joined_but_by_others(texts, threshold):
    found = Neighbours(threshold, 1)
    roots = clusters(texts, threshold=threshold, ngram=1)
    sets = [found.shingles(text) for text in texts]
    for number, root in enumerate(roots):
        assert root <= number
        linked = [
            other
            for other, its in enumerate(roots)
            if its == root and other != number and jaccard(sets[other], sets[number]) >= threshold
        ]
        assert linked or roots.count(root) == 1


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_miss_one_pair_in_a_thousand_at_most(threshold):
    rows = neighbours._rows_a_band(threshold)
    assert (1 - threshold**rows) ** (96 // rows) <= 1e-3
    assert rows >= 1
