"""`instructune show`: what a person reads, and nothing that drives the terminal."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from instructune.commands.show import curve
from instructune.errors import UserError

HOSTILE = "\x1b[2J\x9b31m\x07\u202ehidden\u2028\x00"
ESCAPED = r"\x1b[2J\x9b31m\x07\u202ehidden\u2028\x00"


@pytest.fixture
def show(run):
    """Run `instructune show`; its output."""

    def show(*args: str, **how: Any) -> str:
        result = run("show", *args)
        assert result.exit_code == how.get("code", 0), result.output
        return result.stdout

    return show


def test_rows_field_by_field(show, write):
    row = {
        "id": "a",
        "messages": [
            {"role": "user", "content": "two\nlines"},
            {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]},
        ],
        "topic": {"deep": ["é"]},
        "finish_reason": "stop",
    }
    write("rows.jsonl", [row, {"id": "b", "text": "t"}])
    assert show("rows.jsonl", "--limit", "1") == (
        "rows.jsonl:1\n"
        "             id  a\n"
        "           user  two\n"
        "                 lines\n"
        '      assistant  [{"function": {"name": "f"}}]\n'
        '          topic  {"deep": ["é"]}\n'
        "  finish_reason  stop\n"
    )


def test_a_document_is_printed(show, write):
    document = '{\n  "rows": 3,\n  "name": "é"\n}\n'
    write("x.manifest.json", document)
    assert show("x.manifest.json") == document


def prediction(name: str, text: str | None, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{name}?"}, {"role": "assistant", "content": "yes"}]
    return {"id": name, "messages": messages, "prediction": text} | more


@pytest.fixture
def compared(write):
    write(
        "before.jsonl", [prediction("a", "no"), prediction("b", "hm\nwell"), prediction("c", "1")]
    )
    after = [
        prediction("b", "x" * 700),
        prediction("a", "yes", sample=0),
        prediction("d", "z"),
        prediction("c", None, finish_reason="error", error="too long"),
    ]
    write("after.jsonl", after)


def test_changed_answers_stand_together(show, compared):
    assert show("after.jsonl", "--baseline", "before.jsonl") == (
        "a\n"
        "       question  a?\n"
        "      reference  yes\n"
        "         before  ✗ no\n"
        "          after  ✓ yes\n"
        "b\n"
        "       question  b?\n"
        "      reference  yes\n"
        "         before  ✗ hm\n"
        "                 well\n"
        f"          after  ✗ {'x' * 600} …\n"
        "c\n"
        "       question  c?\n"
        "      reference  yes\n"
        "         before  ✗ 1\n"
        "          after  ✗ (too long)\n"
        "3 of 3 answers differ: 1 became right, 0 wrong\n"
        "1 answers are in one file only\n"
    )


def test_a_limit_of_changed_answers(show, compared):
    lines = show("after.jsonl", "--baseline", "before.jsonl", "-n", "1").splitlines()
    assert len(lines) == 7
    assert lines[-2] == "3 of 3 answers differ: 1 became right, 0 wrong"


def test_samples_and_answers_without_references(show, write):
    write("before.jsonl", [{"id": "a", "sample": 2, "prediction": "x", "text": "t"}])
    write("after.jsonl", [{"id": "a", "sample": 2, "prediction": ["y"], "text": "t"}])
    assert show("after.jsonl", "--baseline", "before.jsonl") == (
        "a  sample 2\n"
        "       question  t\n"
        "         before  x\n"
        '          after  ["y"]\n'
        "1 of 1 answers differ\n"
    )


RUN = {
    "state": "finished",
    "base": "tiny-llama",
    "objective": "sft",
    "method": "lora:rank=2",
    "resolved": {"steps": 4, "parameters": 1000, "trainable_parameters": 25},
}


def run_of(folder: Path, events: list[dict[str, Any]], **changes: Any) -> None:
    (folder / "run").mkdir()
    (folder / "run/run.json").write_text(json.dumps(RUN | changes))
    (folder / "run/log.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in events))


def test_a_run_and_its_curves(show, tmp_path):
    steps = [{"event": "step", "step": i, "loss": 5.0 - i} for i in range(1, 5)]
    run_of(tmp_path, [*steps, {"event": "eval", "step": 4, "eval_loss": 1.25, "best": True}])
    assert show("run") == (
        "tiny-llama, sft by lora:rank=2\n"
        "  finished: 4 of 4 steps, 25 parameters trained (2.50%)\n"
        "       loss  4.0000 █▆▃▁ 1.0000\n"
        "  eval loss  1.2500 ▁ 1.2500\n"
    )


def test_a_run_that_has_only_begun(show, tmp_path):
    run_of(tmp_path, [], state="running")
    assert show("run") == (
        "tiny-llama, sft by lora:rank=2\n"
        "  interrupted: 0 of 4 steps, 25 parameters trained (2.50%)\n"
    )


def test_a_run_document_of_few_words(show, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text('{"state": "stopped"}')
    assert show("run") == ("None, None by None\n  stopped: 0 of ? steps, 0 parameters trained\n")


def test_tokens_in_brackets_are_learned(show, write, tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]
    write("rows.jsonl", [{"id": "a", "messages": chat}])
    where, tokens = show("rows.jsonl", "--mask", "-m", "tiny-llama").splitlines()
    assert where.startswith("rows.jsonl:1  ")
    assert where.endswith(" tokens, 3 learned")
    assert "<|im_start|> u s e r" in tokens
    assert "[y] [o] [<|im_end|>]" in tokens


ANNOTATED = [
    {"id": "a", "text": "一二三", "annotations": {"ann": "x", "bob": "y"}, "language": "zh"},
    {"id": "b", "text": "一二三", "annotations": {"ann": "x", "bob": "x"}, "language": "zh"},
    {"id": "c", "text": "four", "annotations": {"ann": "y", "bob": "z"}, "language": "en"},
]


@pytest.mark.parametrize("args", [("show", "rows.jsonl"), ("show", "rows.jsonl", "--profile"),
                                  ("--help",), ("show", "--help"), ("--version",)])  # fmt: skip
def test_a_full_standard_output_is_no_bug(args, tune, write):
    write("rows.jsonl", [{"text": f"row {i}"} for i in range(9)])
    with open("/dev/full", "wb") as full:
        done = tune(*args, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 74
    assert done.stderr.startswith(b"error: standard output: no space left on device")
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_a_profile(show, write, tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))
    write("rows.jsonl", ANNOTATED)
    out = show("rows.jsonl", "--profile", "-m", "tiny-llama", "-n", "1")
    assert out.startswith("3 rows, 1 say what an earlier one says\nLengths\n")
    assert (
        "Language\n"
        "  language  rows  share\n"
        "  zh           2  66.7%\n"
        "  en           1  33.3%\n"
    ) in out  # fmt: skip
    assert (
        "                sum  least  5%  25%  median  75%  95%  most\n"
        "  characters     10      3   3    3       3    4    4     4\n"
        "  prompt words    7      1   1    1       3    3    3     3\n"
        "  tokens         22      4   4    4       9    9    9     9\n"
    ) in out  # fmt: skip
    assert "  rows.jsonl     3  100.0%\n" in out
    assert "Disagreements: 2 of 3 rows\n  id  values\n  a   x (ann); y (bob)\n" in out
    assert "y (ann)" not in out
    found = json.loads(show("rows.jsonl", "--profile", "--json"))
    assert (found["profile"]["rows"], found["agreement"]["disagreeing"]) == (3, 2)
    write("plain.jsonl", [{"text": "t"}])
    plain = show("plain.jsonl", "--profile")
    assert "annotators" not in plain
    assert "other combinations" not in plain  # there is none


def test_disagreements(show, write):
    write("rows.jsonl", ANNOTATED)
    assert show("rows.jsonl", "--disagreements") == (
        "Agreement of annotators\n"
        "  coefficient             value  rows\n"
        "  Krippendorff's alpha   0.0909     3\n"
        "  Fleiss' kappa         -0.0909     3\n"
        "Cohen's kappa by pair\n"
        "  pair      kappa  rows\n"
        "  ann, bob    0.0     3\n"
        "Disagreements: 2 of 3 rows\n"
        "  id  values\n"
        "  a   x (ann); y (bob)\n"
        "  c   y (ann); z (bob)\n"
    )


@pytest.fixture
def hostile(write, tmp_path):
    """One of everything that can be shown, full of control characters."""
    name = f"{HOSTILE}".replace("\x00", "")
    rows = [prediction(HOSTILE, HOSTILE, **{HOSTILE: HOSTILE})]
    rows[0]["messages"][0]["content"] = HOSTILE
    rows[0] |= {"task": HOSTILE, "annotations": {HOSTILE: HOSTILE, "b": "x"}}
    write("rows.jsonl", rows)
    write("before.jsonl", [rows[0] | {"prediction": None, "error": HOSTILE}])
    write("document.json", json.dumps({HOSTILE: [HOSTILE]}, indent=1, ensure_ascii=False))
    write(f"{name}.jsonl", rows)
    run_of(tmp_path, [], base=HOSTILE, state=HOSTILE, method=HOSTILE)
    return name


def texts(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for item in pair for text in texts(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in texts(item))


@pytest.mark.parametrize(
    "args",
    [
        ("rows.jsonl",),
        ("rows.jsonl", "--profile"),
        ("rows.jsonl", "--disagreements"),
        ("rows.jsonl", "--baseline", "before.jsonl"),
        ("document.json",),
        ("run",),
        ("NAME.jsonl",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("json_too", [False, True])
def test_nothing_in_the_data_drives_the_terminal(show, hostile, args, json_too):
    given = [arg.replace("NAME", hostile) for arg in args]
    out = show(*given, *(["--json"] if json_too else []))
    assert not {c for c in out if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)}
    assert not set("\u202e\u2028") & set(out)
    if json_too or args == ("document.json",):
        assert any(hostile in text for text in texts(json.loads(out)))
    else:
        assert ESCAPED.removesuffix(r"\x00") in out


def test_json_is_one_object(show, write, compared):
    assert json.loads(show("before.jsonl", "-n", "1", "--json")) == {
        "rows": [["before.jsonl:1", prediction("a", "no")]]
    }
    found = json.loads(show("after.jsonl", "--baseline", "before.jsonl", "--json", "-n", "1"))
    assert (found["rows"], found["different"], found["gained"]) == (3, 3, 1)
    assert found["shown"][0]["after"] == {"prediction": "yes", "error": None, "right": True}


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("none.jsonl",), 66, "error: none.jsonl: no such file\n"),
        ((".",), 66, "error: .: not a run directory (no run.json)\n"),
        (("rows.jsonl", "--profile", "--mask"), 2, "error: --mask: needs --model\n"),
        (("a", "--profile", "--disagreements"), 2, "error: --disagreements: cannot go with --prof"),
        ((".", "--profile"), 2, "error: --profile: needs a file of rows\n"),
        (("rows.jsonl", "--mask"), 2, "error: --mask: needs --model\n"),
        (("-", "--baseline", "-"), 2, "error: --baseline: standard input can be read only once\n"),
    ],
)
def test_failures(run, args, code, told):
    result = run("show", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(told)


def test_no_annotations_no_agreement(run, write):
    write("rows.jsonl", [{"text": "t"}])
    result = run("show", "rows.jsonl", "--disagreements")
    assert (result.exit_code, result.stdout) == (65, "")
    assert result.stderr.startswith("error: rows.jsonl: no row has annotations\n  hint: --profile")


@pytest.mark.parametrize(
    ("values", "width", "expected"),
    [
        ([1.0, 2.0, 3.0], 10, "▁▅█"),
        ([3.0, 3.0, 3.0], 10, "▁▁▁"),
        ([1.0, 3.0, 5.0, 7.0], 2, "▁█"),
        ([4.0], 10, "▁"),
    ],
)
def test_the_curve_has_a_bar_a_value_or_their_mean(values, width, expected):
    assert curve(values, width) == expected


WHY = {"method": "gradient", "target": "the \x1b[2J answer", "tokens": ["a\u202e", "b"]}


def explained(name: str) -> dict[str, Any]:
    return prediction(name, "yes", explanation=WHY | {"values": [0.25, -0.5], "check": {"sum": 1}})


def test_an_explanation_in_the_terminal(show, write):
    write("p.jsonl", [explained("a"), prediction("b", "no", explanation="a column")])
    out = show("p.jsonl")
    assert (
        "    explanation  gradient: the \\x1b[2J answer\n"
        "                 sum 1\n"
        f"                       -0.5  {'█' * 20}  'b'\n"
        f"                      +0.25  {'█' * 10}{' ' * 10}  'a\\u202e'\n"
    ) in out
    assert "    explanation  a column\n" in out


def test_explanations_as_a_page(run, write, tmp_path):
    write("p.jsonl", [prediction("z", "no"), *(explained(name) for name in "abc")])
    done = run("show", "p.jsonl", "--html", "out.html", "--limit", "2")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "2 explained predictions -> out.html\n"
    text = (tmp_path / "out.html").read_text()
    assert "<h2>a</h2>" in text
    assert "<h2>b</h2>" in text
    assert "<h2>c</h2>" not in text


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("plain.jsonl", "--html", "o.html"), 65, "no row has an explanation"),
        (("plain.jsonl", "--html", "plain.jsonl"), 2, "is also an input"),
        (("plain.jsonl", "--html", "no/o.html"), 73, "no such directory"),
        (("plain.jsonl", "--html", "o.html", "--profile"), 2, "leave --profile out"),
        ((".", "--html", "o.html"), 2, "needs a file of rows"),
    ],
)
def test_no_page(run, write, tmp_path, args, code, told):
    write("plain.jsonl", [prediction("a", "no", explanation={"method": "x"})])
    done = run("show", *args)
    assert isinstance(done.exception, UserError) or done.exit_code == code
    found = done.exception if isinstance(done.exception, UserError) else None
    assert told in str(found or done.output)
    assert found is None or found.code == code
    assert not (tmp_path / "o.html").exists()
