"""explainers.attention: rows that add up to 1, of the layers and heads that were asked for."""

from __future__ import annotations

import pytest
import torch

from instructune.architectures import Head
from instructune.errors import UserError
from tests.explaining import answered, chosen, explain, headed, source


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    "spec", ["attention", "attention:rollout=true", "attention:layer=1,head=0"]
)
def test_rows_of_the_answer(spec):
    found = explain(spec, source())
    assert found["answer"] == ["o", "w", "l"]
    assert found["tokens"] == ["<|im_start|>", *"what is up", "<|im_end|>", "o", "w"]
    assert [sum(row) for row in found["map"]] == pytest.approx([1, 1, 1], abs=2e-3)
    assert found["map"][0][-2:] == [0.0, 0.0]  # nothing looks at what comes later
    assert found["map"][1][-1] == 0 < found["map"][2][-1]
    means = [sum(column) / 3 for column in zip(*found["map"], strict=True)]
    assert found["values"] == pytest.approx(means, rel=2e-3, abs=1e-6)
    assert found["check"] == {"rows": 3, "row_sums": [1.0, 1.0]}


def test_every_option_is_heeded():
    of = source()
    specs = ("", ":rollout=true", ":layer=0", ":head=1", ":layer=0,head=1")
    told = [explain(f"attention{spec}", of)["map"] for spec in specs]
    assert all(told.count(one) == 1 for one in told)
    short = explain("attention:rows=2", of)
    assert (short["answer"], short["map"]) == (["o", "w"], told[0][:2])
    assert short["values"] == explain("attention", of)["values"]


@pytest.mark.parametrize("spec", ["rollout=true,layer=0", "layer=-1", "head=-1", "rows=0"])
def test_refused(spec):
    with pytest.raises(UserError) as caught:
        explain(f"attention:{spec}", None)
    assert caught.value.code == 2


def test_where_an_answer_without_a_text_was_read():
    of = headed("tag", Head("token", ("O", "X"), None, 256))
    with torch.no_grad():
        of.model.classifier.bias[1] += 99
    _, target = answered(of, {"tokens": ["ab", "c"]})
    found = explain("attention", of, chosen(target))
    assert found["tokens"] == ["[CLS]", "a", "b", " ", "c", "[SEP]"]
    assert found["answer"] == ["a", "c"]
    assert [sum(row) for row in found["map"]] == pytest.approx([1, 1], abs=2e-3)
    assert (found["target"], found["check"]["rows"]) == ("attention where the answer was read", 2)
