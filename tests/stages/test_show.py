"""show: rows, documents, runs in any state, and the masks that training uses."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

import pytest

from instructune.configs import ShowConfig
from instructune.errors import Exit, UserError
from instructune.evaluating.comparing import Comparison
from instructune.stages.show import DocumentView, MaskView, RowsView, RunView, show

ROWS = [{"id": str(i), "text": f"row {i}"} for i in range(9)]
DOCUMENT = {
    "state": "finished",
    "base": "tiny-llama",
    "objective": "sft",
    "method": "full",
    "resolved": {"steps": 3, "parameters": 10, "trainable_parameters": 5},
}
EVENTS = [
    {"event": "step", "step": 1, "loss": 3.0, "tokens": 9},
    {"event": "eval", "step": 1, "eval_loss": 2.5, "best": True},
    {"event": "step", "step": 2, "loss": 2.0, "tokens": 9},
]


def view(path: str, **settings: Any) -> Any:
    return show(ShowConfig(path=path, **settings))


def test_the_first_rows_with_their_places(write):
    path = write("rows.jsonl", ROWS)
    assert view(path) == RowsView([(f"{path}:{i + 1}", ROWS[i]) for i in range(5)])
    assert len(view(path, limit=7).rows) == 7
    assert len(view(path, limit=70).rows) == 9


def test_a_bad_row_is_named_if_it_is_looked_at(write):
    path = write("rows.jsonl", '{"id": "1"}\n\n{"id": 2\n')
    assert len(view(path, limit=1).rows) == 1
    with pytest.raises(UserError) as caught:
        view(path)
    assert (caught.value.code, caught.value.where) == (Exit.BAD_DATA, f"{path}:3")


@pytest.mark.parametrize(
    "text",
    [
        '{\n  "rows": 3,\n  "deep": {"a": [1, null]}\n}\n',
        '  {\n"rows": 3, "deep": {"a": [1, null]}}',
    ],
)
def test_one_object_over_many_lines_is_a_document(write, text):
    expected = DocumentView({"rows": 3, "deep": {"a": [1, None]}})
    assert view(write("x.manifest.json", text)) == expected
    assert view(write("no-extension", text)) == expected


def test_a_broken_document_is_named(write):
    with pytest.raises(UserError, match="not JSON") as caught:
        view(write("x.json", '{\n  "rows": \n}\n'))
    assert caught.value.code == Exit.BAD_DATA


def test_an_array_is_its_rows(write):
    path = write("rows.json", json.dumps(ROWS, indent=1))
    assert [row for _, row in view(path, limit=3).rows] == ROWS[:3]


def test_an_empty_file_has_no_rows(write):
    assert view(write("empty.jsonl", "")) == RowsView([])


def run_of(folder: Path, log: bytes | None, **changes: Any) -> str:
    (folder / "run").mkdir()
    (folder / "run/run.json").write_text(json.dumps(DOCUMENT | changes))
    if log is not None:
        (folder / "run/log.jsonl").write_bytes(log)
    return str(folder / "run")


def log_of(events: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_a_run_and_its_losses(tmp_path):
    found = view(run_of(tmp_path, log_of(EVENTS)))
    assert found == RunView(DOCUMENT, "finished", [(1, 3.0), (2, 2.0)], [(1, 2.5)])


@pytest.mark.parametrize("log", [None, b"", b'{"event":"st'], ids=["none", "empty", "cut"])
def test_a_run_without_a_whole_event(tmp_path, log):
    assert view(run_of(tmp_path, log))[2:] == ([], [])


@pytest.mark.parametrize("cut", [1, 5, 30, 58])
def test_a_log_that_a_kill_cut_short(tmp_path, cut):
    whole = log_of(EVENTS)
    assert (
        view(run_of(tmp_path, whole[:-cut])).losses == [(1, 3.0), (2, 2.0)][: 2 if cut == 1 else 1]
    )


def test_events_of_other_kinds_are_passed_over(tmp_path):
    odd = [{"event": "note"}, {"step": 3}, {"event": "step", "step": 4}, {"what": 1}]
    assert view(run_of(tmp_path, log_of([*odd, *EVENTS]))).losses == [(1, 3.0), (2, 2.0)]


def test_a_run_is_running_while_somebody_holds_it(tmp_path):
    path = run_of(tmp_path, b"", state="running")
    assert view(path).state == "interrupted"
    with open(Path(path) / ".lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert view(path).state == "running"
    assert view(path).state == "interrupted"


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="not a run directory") as caught:
        view(str(tmp_path))
    assert caught.value.code == Exit.NO_INPUT


@pytest.mark.parametrize("settings", [{"mask": True, "model": "tiny-llama"}, {"baseline": "x"}])
def test_a_run_has_no_rows(tmp_path, settings):
    with pytest.raises(UserError, match="needs a file of rows") as caught:
        view(run_of(tmp_path, b""), **settings)
    assert caught.value.code == Exit.USAGE


def test_changed_answers(write):
    before = write("before.jsonl", [{"id": "a", "prediction": "x"}])
    after = write("after.jsonl", [{"id": "a", "prediction": "y"}])
    found = view(after, baseline=before)
    assert isinstance(found, Comparison)
    assert found.different == 1


# the mask

CHAT = {
    "id": "a",
    "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}],
}


@pytest.fixture
def mask(write, tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))

    def mask(rows: list[Any], **settings: Any) -> MaskView:
        return view(write("rows.jsonl", rows), **{"mask": True, "model": "tiny-llama"} | settings)

    return mask


def learned(sequence: tuple[str, list[tuple[str, bool]]]) -> str:
    return "".join(token for token, is_learned in sequence[1] if is_learned)


def test_the_mask_is_what_train_learns(mask):
    ((where, tokens),) = mask([CHAT]).sequences
    assert where.endswith("rows.jsonl:1")
    assert learned((where, tokens)) == "yo<|im_end|>"
    assert len(tokens) > 10


def test_settings_of_the_mask_are_heeded(mask):
    rows = [CHAT | {"id": str(i)} for i in range(9)]
    assert len(mask(rows).sequences) == 5
    assert len(mask(rows, limit=7).sequences) == 7
    (whole,) = mask([CHAT], train_on="all").sequences
    assert "hi" in learned(whole)
    (other,) = mask([CHAT], template="vicuna").sequences
    assert "".join(token for token, _ in other[1]).count("USER:") == 1
    with pytest.raises(UserError, match="longer than --max-length"):
        mask([CHAT], max_length=10)
    assert mask([CHAT, {"id": "t", "text": "short"}], max_length=10, overflow="drop").sequences


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"mask": True}, "--mask: needs --model"),
        ({"mask": True, "model": "m", "baseline": "b"}, "--baseline: shows answers"),
        ({"limit": 0}, "--limit: must be at least 1"),
    ],
)
def test_settings_that_do_not_go_together(settings, told):
    with pytest.raises(UserError) as caught:
        ShowConfig(**settings)
    assert caught.value.code == Exit.USAGE
    assert str(caught.value).startswith(told)
