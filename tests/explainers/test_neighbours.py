"""explainers.neighbours: the nearest rows of a file, by the model or by words."""

from __future__ import annotations

import pytest

from instructune.answering.pooling import pooled
from instructune.architectures import Head
from instructune.errors import UserError
from instructune.records import Record
from instructune.tokens import Encoding
from tests.explaining import PROMPT, answered, case, chosen, explain, headed, source
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


def test_of_a_head_the_texts_that_it_reads(write):
    """A row with several pieces is as near as its nearest; one that cannot be read is none."""
    of = headed("pair", Head("sequence", ("no_relation", "x"), None, 256), pairs="all")
    text = {"text": "ab cd ef", "entities": [{"start": i, "end": i + 2} for i in (0, 3, 6)]}
    rows = [
        {"id": "pieces", "origin": "f:1", **text},
        {"id": "other", "origin": "f:2", "texts": ["zz", "y"]},
    ]
    bad = {"id": "bad", "messages": [{"role": "user", "content": "x"}]}
    path = write("train.jsonl", [*rows, bad])
    _, target = answered(of, {"texts": ["zz", "y"]})
    found = explain(f"neighbours:data={path},k=9", of, chosen(target))
    near = {row["id"]: row["similarity"] for row in found["neighbours"]}
    assert list(near) == ["other", "pieces"]
    assert near["other"] == pytest.approx(1, abs=1e-4)
    assert target
    pieces = [row.ids for row in of.answers.rows(Record(rows[0]))]
    assert len(pieces) == 6
    own, *others = pooled(of.model, [target.row.ids, *pieces])
    nearest = max((own @ other).item() for other in others)
    assert near["pieces"] == pytest.approx(nearest, abs=1e-4)
    assert found["target"] == "cosine of hidden states with what was read"
    with pytest.raises(UserError, match="no row can be read"):
        explain(f"neighbours:data={write('bad.jsonl', [bad])}", of, chosen(target))
