"""explainers.neighbours: the nearest rows of a file, by the model or by words."""

from __future__ import annotations

import pytest

from instructune.answering.pooling import pooled
from instructune.errors import UserError
from instructune.records import Record
from instructune.tokens import Encoding
from tests.explaining import PROMPT, case, explain, source
from tests.generating import chat

ROWS = [
    chat("another thing", "no", id="far"),
    chat("what is up", "an owl is up " + "!" * 300, id="near"),
    {"id": "text", "text": "up"},
    chat("no answer", id="open"),
]


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))


def test_by_words(write):
    path = write("train.jsonl", ROWS)
    found = explain(f"neighbours:data={path},by=bm25,k=3", None, case(text="What's up, then?"))
    near = found["neighbours"]
    assert [row["id"] for row in near] == ["near", "text"]  # the others share no word
    assert near[0]["origin"] == f"{path}:2"
    assert near[0]["prompt"] == "what is up"
    assert len(near[0]["answer"]) == 200
    assert near[0]["similarity"] > near[1]["similarity"] > 0
    assert found["check"] == {"rows": 4}
    assert "BM25" in found["target"]


def test_by_hidden_states(write):
    of = source()
    found = explain(f"neighbours:data={write('train.jsonl', ROWS)},k=4", of)
    assert [row["id"] for row in found["neighbours"]].count("text") == 1
    assert len(found["neighbours"]) == 4
    values = {row["id"]: row["similarity"] for row in found["neighbours"]}
    assert list(values.values()) == sorted(values.values(), reverse=True)
    ids = next(Encoding(of.tokenizer).sequences([Record(ROWS[2])])).ids
    own, other = pooled(of.model, [PROMPT + case().answer, ids])
    assert values["text"] == pytest.approx((own @ other).item(), abs=1e-4)


def test_it_is_told_how_far_the_model_has_read(write):
    of = source()
    explain(f"neighbours:data={write('train.jsonl', ROWS)}", of)
    assert of.told[-1] == {"event": "part", "what": "rows of data read", "done": 4, "of": 4}


def test_k_and_several_files(write):
    of = source()
    one, other = write("a.jsonl", ROWS), write("b.jsonl", [ROWS[0]])
    found = explain(f"neighbours:data={one}+{other},k=2", of)
    assert len(found["neighbours"]) == 2
    assert found["check"] == {"rows": 5}


@pytest.mark.parametrize("spec", ["", ":data=-", ":data=x.jsonl,k=0", ":data=x.jsonl,by=x"])
def test_refused(spec):
    with pytest.raises(UserError) as caught:
        explain(f"neighbours{spec}", None)
    assert caught.value.code == 2


def test_a_file_that_is_not_there():
    with pytest.raises(UserError) as caught:
        explain("neighbours:data=nowhere.jsonl", None)
    assert caught.value.code == 66
