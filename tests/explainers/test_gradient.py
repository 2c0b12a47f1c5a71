"""explainers.gradient: a value for each prompt token, from the baseline that was asked for."""

from __future__ import annotations

import pytest

from instructune.attribution.attributions import gradient_by_input, of_answer
from tests.explaining import PROMPT, case, explain, source


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))


@pytest.mark.parametrize("kind", ["zero", "mean", "pad"])
def test_from_each_baseline(kind):
    of = source()
    found = explain(f"gradient:baseline={kind}", of)
    subject = of_answer(of.model, PROMPT, case().answer)
    start = subject.embeddings()
    start[: len(PROMPT)] = subject.baseline(kind, 256)
    values = gradient_by_input(subject, start)
    assert found["values"] == pytest.approx(values[: len(PROMPT)].tolist(), rel=1e-3, abs=1e-5)
    assert found["check"]["sum"] == pytest.approx(values.sum().item(), rel=1e-3)
    without, score = subject.scores(start[None]).item(), subject.scores(subject.embeddings()[None])
    assert found["check"]["baseline"] == pytest.approx(without, rel=1e-3)
    assert found["check"]["score"] == pytest.approx(score.item(), rel=1e-3)
    assert found["tokens"] == ["<|im_start|>", *"what is up", "<|im_end|>"]


def test_zero_is_the_default():
    of = source()
    assert explain("gradient", of) == explain("gradient:baseline=zero", of)
