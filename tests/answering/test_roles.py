"""roles: what a model answers with, by its run or by its config.json."""

from __future__ import annotations

from instructune.answering.roles import Role, role_of
from instructune.architectures import Head
from instructune.fetching.modelfiles import resolve
from tests.tuning import train_run, write_rows


def test_presets_and_runs(tmp_path):
    assert role_of(resolve("tiny-llama")) == Role("sft", Head("causal"), {})
    assert role_of(resolve("tiny-bert")) == Role("mlm", Head("masked"), {})
    assert role_of(resolve("tiny-t5")) == Role("seq2seq", Head("seq2seq"), {})
    rows = [{"id": str(i), "text": "ab"[i], "label": "xy"[i]} for i in range(2)]
    write_rows(tmp_path / "data.jsonl", rows)
    given = {"model": "tiny-bert", "objective": "classify:threshold=0.3", "steps": 1}
    train_run(tmp_path, overflow="truncate-prompt", **given)
    head = Head("sequence", ("x", "y"), "single_label_classification", 256)
    facts = {"overflow": "truncate-prompt", "threshold": 0.3}
    role = role_of(resolve(str(tmp_path / "run")))
    assert role == Role("classify", head, facts)
    assert role_of(resolve(str(tmp_path / "run/model"))) == Role(
        "classify", Head("sequence", ("x", "y"), "single_label_classification"), {}
    )
    assert role.as_dict()["head"]["labels"] == ("x", "y")
