"""explainers.occlusion: one token or one word hidden at a time."""

from __future__ import annotations

import pytest

from instructune.answering.likelihood import log_probabilities
from tests.explaining import PROMPT, case, explain, source


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    ("unit", "texts", "groups"),
    [
        (
            "token",
            ["<|im_start|>", *"what is up", "<|im_end|>"],
            [[i] for i in range(12)],
        ),
        (
            "word",
            ["<|im_start|>", "what", " is", " up", "<|im_end|>"],
            [[0], [1, 2, 3, 4], [5, 6, 7], [8, 9, 10], [11]],
        ),
    ],
)
def test_equal_to_prompts_with_the_pad_token(unit, texts, groups):
    of, answer = source(), case().answer
    found = explain(f"occlusion:unit={unit},baseline=pad", of)
    assert found["tokens"] == texts
    (own,) = log_probabilities(of.model, [PROMPT + answer], [len(PROMPT)])
    for value, group in zip(found["values"], groups, strict=True):
        ids = [256 if i in group else token for i, token in enumerate(PROMPT)]
        (told,) = log_probabilities(of.model, [ids + answer], [len(PROMPT)])
        assert value == pytest.approx(sum(own) - sum(told), rel=1e-3, abs=1e-4)
    assert found["check"]["score"] == pytest.approx(sum(own), rel=1e-3)
    assert found["check"]["sum"] == pytest.approx(sum(found["values"]), abs=0.01)


def test_the_baseline_is_heeded():
    of = source()
    values = [explain(f"occlusion:baseline={kind}", of)["values"] for kind in ("mean", "zero")]
    assert values[0] != values[1]
    assert explain("occlusion", of)["values"] == values[0]
