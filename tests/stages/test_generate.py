"""generate: rows in, the same rows with answers out, in order, whole, and each setting heeded."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from instructune.backends import transformers as local
from instructune.configs import GenerateConfig
from instructune.errors import Exit, UserError
from instructune.stages.generate import generate
from instructune.stopping import Stopped
from tests.generating import chat, read_rows, save_tiny, write_rows

QUESTIONS = [
    chat("What is it?", "an owl", id="b", topic=[1, {"deep": None}], weight=0.5),
    chat("Go on, then, and tell me more of it", id="a", model="gpt-4"),
    {"id": "c", "text": "Once upon a time"},
    {"prompt": "An alpaca-like row", "completion": "yes", "note": "kept"},
    chat("Why?", id="é\u2028"),
]


@pytest.fixture(scope="module", autouse=True)
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield str(save_tiny(tmp_path_factory.mktemp("model")))


@pytest.fixture
def answer(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Answer rows; the predictions and the report."""
    monkeypatch.chdir(tmp_path)

    def answer(rows: list[Any] | None = None, **settings: Any) -> tuple[list[Any], dict[str, Any]]:
        if rows is not None:
            write_rows(tmp_path / "in.jsonl", rows)
            settings["data"] = ("in.jsonl",)
        given = {"model": model, "output": "out.jsonl", "max_new_tokens": 6}
        given |= {"dtype": "float32", "threads": 1}
        events: list[dict[str, Any]] = []
        report = generate(GenerateConfig(**given | settings), events.append)
        answer.events = events  # type: ignore[attr-defined]
        return read_rows(settings.get("output", "out.jsonl")), report

    return answer


def test_every_row_goes_through_untouched_with_an_answer(answer):
    rows, report = answer(QUESTIONS)
    assert [row["id"] for row in rows][:3] + [rows[4]["id"]] == ["b", "a", "c", "é\u2028"]
    assert [row["origin"] for row in rows] == [f"in.jsonl:{i}" for i in range(1, 6)]
    assert rows[0]["topic"] == [1, {"deep": None}]
    assert rows[0]["weight"] == 0.5
    assert rows[0]["messages"] == QUESTIONS[0]["messages"]
    assert rows[1]["fields"] == {"model": "gpt-4"}
    assert rows[3]["note"] == "kept"
    for row in rows:
        assert row["sample"] == 0
        assert row["finish_reason"] in ("stop", "length")
        assert type(row["prediction"]) is str
        assert row["usage"]["prompt_tokens"] > 10
        assert row["usage"]["completion_tokens"] <= 6
    (fingerprint,) = {row["model"] for row in rows}
    assert len(fingerprint) == 16
    assert {key: report[key] for key in ("rows_in", "rows", "predictions", "errors", "kept")} == {
        "rows_in": 5,
        "rows": 5,
        "predictions": 5,
        "errors": 0,
        "kept": 0,
    }
    assert report["stopped"] == sum(row["finish_reason"] == "stop" for row in rows)
    assert report["completion_tokens"] == sum(r["usage"]["completion_tokens"] for r in rows)


def test_the_manifest_stands_beside_the_output(answer, model):
    rows, _ = answer(QUESTIONS)
    manifest = json.loads(Path("out.jsonl.manifest.json").read_text())
    data = Path("out.jsonl").read_bytes()
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["rows"] == 5
    assert manifest["model"] == rows[0]["model"]
    assert manifest["inputs"].keys() == {"in.jsonl"}
    assert manifest["config"]["max_new_tokens"] == 6
    assert manifest["versions"].keys() >= {"instructune", "torch", "transformers"}
    assert manifest["stop_ids"] == [258]
    assert not [path for path in Path().iterdir() if "partial" in path.name]
    assert str(Path().absolute()) not in Path("out.jsonl.manifest.json").read_text()


def test_the_same_settings_give_the_same_bytes(answer):
    answer(QUESTIONS, temperature=1.0)
    before = Path("out.jsonl").read_bytes(), Path("out.jsonl.manifest.json").read_bytes()
    answer(QUESTIONS, temperature=1.0)
    assert before == (Path("out.jsonl").read_bytes(), Path("out.jsonl.manifest.json").read_bytes())


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"batch_size": 3}, {"window": 2}])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_batches_and_windows_change_no_answer(answer, settings, temperature):
    expected, _ = answer(QUESTIONS, temperature=temperature)
    assert answer(QUESTIONS, temperature=temperature, **settings)[0] == expected


def test_other_neighbours_and_another_order_change_no_answer(answer):
    expected, _ = answer(QUESTIONS, temperature=1.0)
    rows, _ = answer([QUESTIONS[4], chat("new", id="n"), QUESTIONS[0]], temperature=1.0)
    assert [rows[0]["prediction"], rows[2]["prediction"]] == [
        expected[4]["prediction"],
        expected[0]["prediction"],
    ]


def test_samples_come_in_input_order(answer):
    rows, report = answer(QUESTIONS[:2], samples=3, temperature=1.0)
    assert [(row["id"], row["sample"]) for row in rows] == [
        (name, sample) for name in "ba" for sample in range(3)
    ]
    assert len({row["prediction"] for row in rows}) == 6
    assert (report["rows"], report["predictions"]) == (2, 6)
    single, _ = answer(QUESTIONS[:2], temperature=1.0)
    assert [row["prediction"] for row in single] == [rows[0]["prediction"], rows[3]["prediction"]]


def test_predictions_may_be_answered_again(answer):
    first, _ = answer(QUESTIONS)
    os.replace("out.jsonl", "first.jsonl")
    again, _ = answer(None, data=("first.jsonl",))
    assert again == first


def test_questions_on_the_command_line(answer):
    rows, report = answer(None, prompt=("hi", "ho"), system="Be short.")
    assert [row["id"] for row in rows] == ["prompt-1", "prompt-2"]
    assert [row["messages"] for row in rows] == [
        [{"role": "system", "content": "Be short."}, {"role": "user", "content": text}]
        for text in ("hi", "ho")
    ]
    assert rows[0]["origin"] == "--prompt:1"
    assert report["rows_in"] == 2
    assert {event["of"] for event in answer.events} == {2}


def test_a_system_turn_is_given_to_chats_that_have_none(answer):
    own = {"id": "s", "messages": [{"role": "system", "content": "Mine."}, *chat("x")["messages"]]}
    rows, _ = answer([chat("x", id="a"), own, {"id": "t", "text": "x"}], system="Given.")
    assert [row.get("messages", [{}])[0].get("content") for row in rows] == [
        "Given.",
        "Mine.",
        None,
    ]
    plain, _ = answer([chat("x", id="a")])
    assert plain[0]["usage"]["prompt_tokens"] < rows[0]["usage"]["prompt_tokens"]


@pytest.mark.parametrize(
    ("setting", "value", "also"),
    [
        ("model", "tiny-llama", {}),
        ("system", "Be short.", {}),
        ("max_new_tokens", 2, {}),
        ("temperature", 2.0, {}),
        ("top_p", 0.1, {"temperature": 1.0}),
        ("top_k", 1, {"temperature": 1.0}),
        ("samples", 2, {"temperature": 1.0}),
        ("stop", tuple("aeiouAEIOU \n\0/~"), {"max_new_tokens": 40}),
        ("max_length", 45, {}),
        ("template", "vicuna", {}),
        ("dtype", "bfloat16", {"max_new_tokens": 40}),
        ("seed", 1, {"temperature": 1.0}),
        ("format", "text", {"rows": [{"text": "hi", "messages": chat("ho")["messages"]}]}),
        ("field", ("text=body",), {"rows": [{"body": "hi", "text": "ho"}]}),
    ],
)
def test_every_setting_of_the_answers_is_heeded(answer, setting, value, also):
    also = dict(also)
    rows = also.pop("rows", QUESTIONS)

    def answers(**settings: Any) -> list[Any]:
        try:
            return [(r["prediction"], r["usage"], r["model"]) for r in answer(rows, **settings)[0]]
        except UserError as error:
            return [error.reason]

    assert answers(**also) != answers(**also | {setting: value})


def test_what_is_measured_stands_beside_the_answer(answer):
    rows = [chat("hi", "ho", id="a"), chat("no", "yes", id="b", options=["x", "yy"])]
    for row in rows:
        row.setdefault("options", ["u", "v"])
    how = {"score_references": True, "label_scores": "options", "logprobs": True}
    found, _ = answer(rows, samples=2, temperature=1.0, **how)
    assert [list(row["label_scores"]) for row in found] == [["u", "v"]] * 2 + [["x", "yy"]] * 2
    assert [row["reference_logprob"]["bytes"] for row in found] == [2, 2, 3, 3]
    assert all(len(row["token_logprobs"]) >= 1 for row in found)
    # a row that is a prediction already is measured anew
    again, _ = answer(found[::2], output="again.jsonl", label_scores="p,q", max_new_tokens=0)
    assert [row["prediction"] in "pq" for row in again] == [True, True]
    assert [row.keys() & {"token_logprobs", "reference_logprob"} for row in again] == [set()] * 2


def test_settings_that_answers_do_not_show(answer, monkeypatch):
    """batch_size, window, threads, device, backend: what the model or the backend is told."""
    seen: dict[str, Any] = {}
    decode = local.Local._decode

    def spy(self: Any, rows: Any, count: int, tick: Any) -> None:
        seen.setdefault("windows", []).append(count)
        seen["batch"] = self.config.batch_size
        decode(self, rows, count, tick)

    monkeypatch.setattr(local.Local, "_decode", spy)
    answer(QUESTIONS, window=2)
    assert seen["windows"] == [2, 2, 1]
    seen.clear()
    answer(QUESTIONS, batch_size=1, samples=4, temperature=1.0)
    assert seen["windows"] == [8, 8, 4]  # eight batches a window, in whole records
    seen.clear()
    answer(QUESTIONS, batch_size=1)
    assert seen["windows"] == [5]
    with pytest.raises(UserError, match="cannot be used"):
        answer(QUESTIONS, device="cuda:99", output="other.jsonl")
    with pytest.raises(UserError, match="unknown backend 'magic'"):
        answer(QUESTIONS, backend="magic", output="other.jsonl")
    with pytest.raises(UserError, match="needs --backend openai"):
        answer(QUESTIONS, base_url="http://localhost/v1", output="other.jsonl")


def test_every_setting_has_a_test():
    source = Path(__file__).read_text()
    tested = {field.name for field in dataclasses.fields(GenerateConfig) if field.name in source}
    assert tested == {field.name for field in dataclasses.fields(GenerateConfig)}


def test_errors_are_rows_and_are_counted(answer):
    rows, report = answer(
        [chat("hi", id="a"), chat("x" * 300, id="b"), chat("ho", id="c")], max_length=100
    )
    assert [row["prediction"] is None for row in rows] == [False, True, False]
    assert rows[1]["finish_reason"] == "error"
    assert rows[1]["error"] == "a prompt of 319 tokens leaves no room for an answer within 100"
    assert rows[1]["usage"] == {"prompt_tokens": 0, "completion_tokens": 0}
    assert report["errors"] == 1
    assert report["first_error"] == f"id 'b': {rows[1]['error']}"


def test_nothing_but_errors_is_no_output(answer):
    with pytest.raises(UserError, match="all 5 rows failed, first id 'b': a prompt of") as caught:
        answer(QUESTIONS, max_length=4, window=2)
    assert caught.value.code == Exit.BAD_DATA
    assert [path.name for path in Path().iterdir()] == ["in.jsonl"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([chat("a", id="x"), chat("b", id="x")], "id 'x' is repeated"),
        ([chat("a"), {"what": 1}], "no known format"),
        ([], "no rows"),
    ],
)
def test_bad_rows_stop_before_anything_is_written(answer, rows, reason):
    Path("out.jsonl").write_text("old")
    with pytest.raises(UserError, match=reason) as caught:
        answer(rows)
    assert caught.value.code == Exit.BAD_DATA
    assert sorted(path.name for path in Path().iterdir()) == ["in.jsonl", "out.jsonl"]
    assert Path("out.jsonl").read_text() == "old"


def test_bad_rows_later_on_keep_the_windows_before_them(answer):
    rows: list[Any] = [chat(str(i), id=str(i)) for i in range(5)]
    with pytest.raises(UserError, match="no known format"):
        answer([*rows, {"what": 1}], window=2)
    assert len(read_rows("out.jsonl.partial")) == 4
    found, report = answer([*rows, chat("5", id="5")], window=2)
    assert report["kept"] == 4
    assert [row["id"] for row in found] == [str(i) for i in range(6)]


class Killed(BaseException):
    """Stands for the end of the process."""


def stop_in(monkeypatch: pytest.MonkeyPatch, window: int, error: BaseException) -> None:
    """End with `error` when this window is asked for."""
    complete, asked = local.Local.complete, []

    def until(self: Any, prompts: Any, tick: Any) -> Any:
        asked.append(1)
        if len(asked) == window:
            raise error
        return complete(self, prompts, tick)

    monkeypatch.setattr(local.Local, "complete", until)


@pytest.mark.parametrize("settings", [{}, {"temperature": 1.0, "samples": 2}], ids=["one", "two"])
def test_what_was_made_before_a_kill_is_kept(answer, monkeypatch, settings):
    settings |= {"window": 2}
    answer(QUESTIONS, **settings)
    expected = Path("out.jsonl").read_bytes(), Path("out.jsonl.manifest.json").read_bytes()
    Path("out.jsonl").unlink()
    with monkeypatch.context() as patch:
        stop_in(patch, 3, Killed())
        with pytest.raises(Killed):
            answer(QUESTIONS, **settings)
    assert not Path("out.jsonl").exists()
    _, report = answer(QUESTIONS, **settings, threads=1)
    assert report["kept"] == 4 * settings.get("samples", 1)
    assert report["predictions"] == 5 * settings.get("samples", 1)
    found = Path("out.jsonl").read_bytes(), Path("out.jsonl.manifest.json").read_bytes()
    assert found == expected


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"seed": 1}, "seed"),
        ({"temperature": 0.5, "max_new_tokens": 7}, "max_new_tokens, temperature"),
        ({"template": "vicuna"}, "template, tokenizer"),
        ({"model": "tiny-llama"}, "model"),
        ({"batch_size": 2}, "batch_size"),
        ({"window": 3}, "window"),
    ],
)
def test_a_partial_of_other_settings_is_refused(answer, monkeypatch, change, names):
    with monkeypatch.context() as patch:
        stop_in(patch, 2, Killed())
        with pytest.raises(Killed):
            answer(QUESTIONS, window=2)
    with pytest.raises(UserError) as caught:
        answer(QUESTIONS, **{"window": 2} | change)
    assert caught.value.code == Exit.CANNOT_CREATE
    assert caught.value.reason.endswith(f"settings ({names})")
    assert caught.value.where == "out.jsonl.partial"
    rows, report = answer(QUESTIONS, **{"window": 2} | change, overwrite=True)
    assert (len(rows), report["kept"]) == (5, 0)


def test_a_template_file_that_changed_is_another_setting(answer, monkeypatch):
    Path("t.jinja").write_text("Q: {{ messages[0].content }}")
    settings = {"window": 1, "template": "t.jinja"}
    rows = [chat("a", id="a"), chat("b", id="b")]
    with monkeypatch.context() as patch:
        stop_in(patch, 2, Killed())
        with pytest.raises(Killed):
            answer(rows, **settings)
    Path("t.jinja").write_text("A: {{ messages[0].content }}")
    with pytest.raises(UserError, match=r"settings \(tokenizer\)"):
        answer(rows, **settings)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[1:], rows[0]],
        lambda rows: [rows[0] | {"topic": 2}, *rows[1:]],
        lambda rows: [{k: v for k, v in rows[0].items() if k != "topic"}, *rows[1:]],
        lambda rows: [rows[0] | {"extra": 1}, *rows[1:]],
        lambda rows: rows[:3],
    ],
    ids=["order", "value", "less", "more", "fewer"],
)
def test_a_partial_of_other_rows_is_refused(answer, monkeypatch, change):
    with monkeypatch.context() as patch:
        stop_in(patch, 3, Killed())
        with pytest.raises(Killed):
            answer(QUESTIONS, window=2)
    with pytest.raises(UserError, match="was begun with other rows") as caught:
        answer(change(QUESTIONS), window=2)
    assert (caught.value.code, caught.value.hint) == (Exit.BAD_DATA, "--overwrite begins anew")
    rows, _ = answer(change(QUESTIONS), window=2, overwrite=True)
    assert len(rows) == len(change(QUESTIONS))


@pytest.mark.parametrize(
    ("error", "number"),
    [(KeyboardInterrupt(), signal.SIGINT), (Stopped(signal.SIGTERM, ""), signal.SIGTERM)],
    ids=["int", "term"],
)
def test_a_signal_says_how_to_go_on(answer, monkeypatch, error, number):
    with monkeypatch.context() as patch:
        stop_in(patch, 2, error)
        with pytest.raises(Stopped) as caught:
            answer(QUESTIONS, window=2)
    assert caught.value.number == number
    assert caught.value.message == (
        "out.jsonl.partial: 2 predictions are kept; the same command goes on from there"
    )
    assert len(read_rows("out.jsonl.partial")) == 2


def test_a_signal_before_the_first_window_leaves_nothing(answer, monkeypatch):
    with monkeypatch.context() as patch:
        stop_in(patch, 1, KeyboardInterrupt())
        with pytest.raises(Stopped, match="2") as caught:
            answer(QUESTIONS, window=2)
    assert caught.value.message == "stopped"
    assert [path.name for path in Path().iterdir()] == ["in.jsonl"]


def test_killed_between_output_and_manifest_nothing_is_computed_again(answer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("instructune.stages.generate._write_manifest", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            answer(QUESTIONS, window=1)
    assert len(read_rows("out.jsonl")) == 5
    stop_in(monkeypatch, 1, Killed())  # the model is not asked
    _, report = answer(QUESTIONS, window=1)
    assert report["kept"] == 5
    assert Path("out.jsonl.manifest.json").exists()


def test_a_name_that_ends_in_gz_is_compressed(answer):
    expected, _ = answer(QUESTIONS)
    assert answer(QUESTIONS, output="out.jsonl.gz")[0] == expected
    assert Path("out.jsonl.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert Path("out.jsonl.gz.manifest.json").exists()


def test_places_are_checked_before_the_model_is_looked_for(answer):
    Path("folder").mkdir()
    for settings, code in (
        ({"output": "none/out.jsonl"}, Exit.CANNOT_CREATE),
        ({"output": "folder"}, Exit.CANNOT_CREATE),
        ({"manifest": "none/m.json"}, Exit.CANNOT_CREATE),
        ({"output": "in.jsonl"}, Exit.USAGE),
        ({"manifest": "out.jsonl"}, Exit.USAGE),
        ({"manifest": "in.jsonl"}, Exit.USAGE),
    ):
        with pytest.raises(UserError) as caught:
            answer(QUESTIONS, model="no-such-model", **settings)
        assert caught.value.code == code, settings


def test_progress_is_told(answer):
    answer(QUESTIONS, window=2)
    done = [event["done"] for event in answer.events if event["event"] == "rows"]
    assert done == sorted(done)
    assert done[-1] == 5
    assert all(event["tokens_per_second"] > 0 for event in answer.events)


SPECS = ["gradient", "integrated:steps=12", "occlusion:unit=word", "attention", "neighbours"]


def spec_of(name: str) -> str:
    return name + ":data=train.jsonl,k=1" if name == "neighbours" else name


@pytest.mark.parametrize("name", SPECS)
def test_explanations_are_the_same_wherever_a_row_stands(answer, tmp_path, name):
    write_rows(tmp_path / "train.jsonl", [chat("What is it?", "a cat"), chat("Why?", "so")])
    rows, report = answer(QUESTIONS[:3], explain=spec_of(name))
    assert report["errors"] == 0
    assert {row["explanation"]["method"] for row in rows} == {name.partition(":")[0]}
    assert not any("error" in row["explanation"] for row in rows)
    turned, _ = answer(QUESTIONS[2::-1], explain=spec_of(name), batch_size=1)
    for one, other in zip(rows, reversed(turned), strict=True):
        assert one["prediction"] == other["prediction"]
        mine, yours = (row["explanation"] for row in (one, other))
        assert mine.get("tokens") == yours.get("tokens")
        assert mine.get("values", []) == pytest.approx(yours.get("values", []), abs=1e-5, rel=1e-3)
        assert mine.get("neighbours") == yours.get("neighbours")


@pytest.mark.parametrize("name", SPECS[1:])
def test_a_restart_explains_to_the_same_bytes(answer, monkeypatch, tmp_path, name):
    write_rows(tmp_path / "train.jsonl", [chat("What is it?", "a cat"), chat("Why?", "so")])
    settings = {"explain": spec_of(name), "window": 1, "samples": 2, "temperature": 1.0}
    answer(QUESTIONS, **settings)
    whole = Path("out.jsonl").read_bytes()
    Path("out.jsonl").unlink()
    complete, asked = local.Local.complete, 0

    def interrupted(self: Any, *given: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise KeyboardInterrupt
        return complete(self, *given)

    monkeypatch.setattr(local.Local, "complete", interrupted)
    with pytest.raises(Stopped):
        answer(QUESTIONS, **settings)
    monkeypatch.setattr(local.Local, "complete", complete)
    with pytest.raises(UserError) as caught:
        answer(QUESTIONS, **settings | {"explain": "gradient"})
    assert caught.value.code == Exit.CANNOT_CREATE
    _, report = answer(QUESTIONS, **settings)
    assert report["kept"] == 4
    assert Path("out.jsonl").read_bytes() == whole


def test_other_training_rows_begin_anew(answer, tmp_path):
    write_rows(tmp_path / "train.jsonl", [chat("a", "b")])
    path = tmp_path / "train.jsonl"
    answer(QUESTIONS, explain=f"neighbours:data={path}")
    before = json.loads(Path("out.jsonl.manifest.json").read_text())
    assert before["config"]["explain"] == "neighbours:data=train.jsonl"
    assert before["explained_by"] == [hashlib.sha256(path.read_bytes()).hexdigest()]


def test_a_column_called_explanation_is_kept_apart(answer):
    rows, _ = answer([chat("hi", explanation="because")])
    assert rows[0]["fields"] == {"explanation": "because"}
    assert "explanation" not in rows[0]


def test_a_wrong_explainer_is_refused_before_the_model_is_loaded(answer, monkeypatch):
    monkeypatch.setattr(local.Local, "model", property(lambda self: pytest.fail("loaded")))
    with pytest.raises(UserError, match="did you mean 'gradient'"):
        answer(QUESTIONS, explain="gradeint")


EXAMPLES = [chat("2 + 2?", "4", id="e1"), chat("capital of France?", "Paris", id="e2")]


def test_solved_examples_stand_before_a_question_and_not_in_its_row(answer, monkeypatch):
    write_rows(Path("examples.jsonl"), EXAMPLES)
    seen: list[Any] = []
    row = local.Local._row

    def spy(self: Any, prompt: Any) -> Any:
        seen.append([turn["content"] for turn in prompt.record["messages"]])
        return row(self, prompt)

    monkeypatch.setattr(local.Local, "_row", spy)
    question = chat("capital of Spain?", id="q")
    how = {"examples": "examples.jsonl", "shots": 1}
    fixed, _ = answer([question], **how)
    near, _ = answer([question], shots_by="nearest", overwrite=True, **how)
    assert seen == [
        ["2 + 2?", "4", "capital of Spain?"],
        ["capital of France?", "Paris", "capital of Spain?"],
    ]
    assert fixed[0]["messages"] == near[0]["messages"] == question["messages"]
    manifest = json.loads(Path("out.jsonl.manifest.json").read_text())
    assert "examples.jsonl" in json.dumps(manifest["inputs"])
    with pytest.raises(UserError, match="--shots K and --examples FILE go together"):
        answer([question], shots=1)


def test_other_examples_begin_anew(answer, monkeypatch):
    write_rows(Path("examples.jsonl"), EXAMPLES)
    how = {"examples": "examples.jsonl", "shots": 1, "window": 1}
    rows = [chat("a", id="a"), chat("b", id="b")]
    with monkeypatch.context() as patch:
        stop_in(patch, 2, Killed())
        with pytest.raises(Killed):
            answer(rows, **how)
    write_rows(Path("examples.jsonl"), EXAMPLES[::-1])
    with pytest.raises(UserError, match=r"settings \(examples\)"):
        answer(rows, **how)
