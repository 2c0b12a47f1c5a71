"""`instructune eval`: whole output, exit codes, pipes, and what it never imports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from instructune import __version__
from instructune.cli import app

PREDICTIONS = [
    {"id": "a", "label": "yes", "text": "t", "prediction": "yes", "lang": "en"},
    {"id": "b", "label": "no", "text": "t", "prediction": "no ", "lang": "en"},
    {"id": "c", "label": "no", "text": "t", "prediction": "yes", "lang": "zh"},
    {"id": "d", "label": "no", "text": "t", "prediction": None, "lang": "zh"},
]
BASELINE = [
    {"id": name, "prediction": p} for name, p in zip("abcd", ("yes", "no", "no", "no"), strict=True)
]
RECIPE = "labels:stripped|references:any|errors:wrong|unit:id"


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, rows in (("p.jsonl", PREDICTIONS), ("b.jsonl", BASELINE)):
        (tmp_path / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return tmp_path


@pytest.fixture
def run(files, capfd):
    """Run `instructune eval` and return exit code, stdout and stderr, all of it."""

    def run(*args):
        result = CliRunner().invoke(app, ["eval", *args], prog_name="instructune")
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, capfd.readouterr().out, result.stderr

    return run


def test_summaries_on_stdout_and_a_table_on_stderr(run):
    code, out, err = run("p.jsonl", "--metric", "accuracy", "--resamples", "1000")
    assert code == 0
    (summary,) = map(json.loads, out.splitlines())
    low = 0.15003898915214958
    assert summary == {
        "metric": "accuracy",
        "value": 0.5,
        "ci95": [pytest.approx(low), pytest.approx(1 - low)],
        "n": 4,
        "n_expected": 4,
        "n_errors": 1,
        "by": None,
        "signature": f"accuracy|{RECIPE}|ci:wilson,resamples:1000,seed:0|version:{__version__}",
        "chance": 0.75,
        "details": {"controls": {"constant": 0.75, "guess": 0.625, "refusal": 0.0, "echo": 0.0}},
    }
    assert err == (
        "4 of 4 predictions scored, errors: 1; metrics chosen by --metric\n"
        "metric    value    95% interval  n  chance\n"
        "accuracy  0.500  0.150 .. 0.850  4   0.750\n"
    )


def test_a_fired_gate_exits_3_after_everything_was_written(run, files):
    code, out, err = run(
        "p.jsonl",
        "--baseline=b.jsonl",
        "--metric=accuracy",
        "--fail-if=accuracy.delta < 0",
        "--fail-if=accuracy.delta < 0 and accuracy.p < 0.05",
        "--scores=s.jsonl",
    )
    assert code == 3
    (summary,) = map(json.loads, out.splitlines())
    assert (summary["baseline"], summary["delta"], summary["p"]) == (1.0, -0.5, 0.5)
    assert summary["delta_ci95"] == pytest.approx([-0.92973138, 0.26306471])
    assert summary["signature"].endswith(
        f"|delta_ci:bonett_price|p:mcnemar,exact|adjust:holm,tests:1|version:{__version__}"
    )
    assert [json.loads(line)["scores"] for line in (files / "s.jsonl").open()] == [
        {"accuracy": 1.0},
        {"accuracy": 1.0},
        {"accuracy": 0.0},
        {"accuracy": 0.0},
    ]
    assert err == (
        "4 of 4 predictions scored, errors: 1; metrics chosen by --metric\n"
        "metric    value    95% interval  n  chance  baseline   delta               95%      p\n"
        "accuracy  0.500  0.150 .. 0.850  4   0.750     1.000  -0.500  -0.930 .. +0.263  0.500\n"
        "accuracy: with 4 ids, a true difference of 0.809 is found 8 times in 10; "
        "one of 0.500 with 11\n"
        "gate: accuracy.delta < 0 is true: -0.5\n"
    )


def test_slices_have_lines_of_their_own(run):
    code, out, err = run("p.jsonl", "--metric=accuracy", "--by=lang", "--fail-if=accuracy < 0.5")
    assert code == 0
    found = [(s["by"], s["n"], s["value"], s["ci95"]) for s in map(json.loads, out.splitlines())]
    assert found == [
        (None, 4, 0.5, pytest.approx([0.15003898915214958, 0.8499610108478504])),
        ({"lang": "en"}, 2, 1.0, [pytest.approx(0.3423802275066534), 1.0]),
        ({"lang": "zh"}, 2, 0.0, [0.0, pytest.approx(0.6576197724933466)]),
    ]
    assert err.splitlines()[1:] == [
        "metric    slice    value    95% interval  n  chance",
        "accuracy           0.500  0.150 .. 0.850  4   0.750",
        "accuracy  lang=en  1.000  0.342 .. 1.000  2   0.500",
        "accuracy  lang=zh  0.000  0.000 .. 0.658  2   1.000",
    ]


@pytest.mark.parametrize(
    ("undecided", "code", "counts"), [("pass", 0, ("0", "1")), ("fail", 3, ("1", "0"))]
)
def test_a_gate_that_the_data_cannot_decide(run, files, undecided, code, counts):
    (files / "g.toml").write_text('[[gate]]\nfail-if = "accuracy < 0.6 surely"\nname = "floor"\n')
    args = ["p.jsonl", "--gates=g.toml", "--junit=j.xml", f"--undecided={undecided}", "-o", "o"]
    found = run(*args)
    assert found[0] == code
    assert found[2].splitlines()[-1] == (
        "gate: floor: accuracy < 0.6 surely is undecided, too few data: 0.5 in 0.150039 .. 0.849961"
    )
    suite = ElementTree.parse(files / "j.xml").getroot()
    assert (suite.get("failures"), suite.get("skipped")) == counts


def test_clusters_and_crossed_slices_in_the_table(run):
    code, _, err = run(
        "p.jsonl", "--metric=accuracy", "--by=lang,label", "--cluster=lang", "--baseline=b.jsonl"
    )
    assert code == 0
    assert err.splitlines()[1:4] == [
        "metric    slice              value    95% interval  n  clusters  chance  baseline   delta"
        "               95%      p  p adj",
        "accuracy                     0.500  0.000 .. 1.000  4         2   0.750     1.000  -0.500"
        "  -1.000 .. +1.000  1.000  1.000",
        "accuracy  lang=en label=no   1.000  0.207 .. 1.000  1         1   1.000     1.000  +0.000"
        "  -0.793 .. +0.793  1.000  1.000",
    ]


def test_samples_that_are_missing_are_told_by_slice(run, files):
    rows = [{"id": "b", "prediction": "x", "sample": s} for s in range(2)]
    rows += [{"id": "a", "prediction": "x"}]
    (files / "s.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    references = [{"id": i, "text": i, "label": "x", "lang": i} for i in "ab"]
    (files / "r.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in references))
    code, _, err = run("s.jsonl", "--references=r.jsonl", "--metric=accuracy", "--by=lang")
    assert code == 0
    assert err.splitlines()[0].startswith("3 of 4 predictions scored")
    found = [re.split(r"  +", line.rstrip())[-2] for line in err.splitlines()[3:]]
    assert found == ["3 of 4", "1 of 2", "2"]


def test_default_metrics_are_named_with_what_chose_them(run):
    code, out, err = run("p.jsonl", "-o", "out.jsonl")
    assert (code, out) == (0, "")
    assert err.splitlines()[0] == (
        "4 of 4 predictions scored, errors: 1; metrics chosen by label references"
    )
    assert [line.split()[0] for line in err.splitlines()[2:]] == ["accuracy", "f1"]


def test_the_report_as_json(run):
    code, out, err = run(
        "p.jsonl", "--baseline=b.jsonl", "--fail-if=f1 > 0.2", "--json", "--resamples=100"
    )
    assert code == 3
    report = json.loads(err)
    summaries = [json.loads(line) for line in out.splitlines()]
    assert summaries[0].pop("details").keys() == {"paired", "controls"}
    assert summaries[1].pop("details")["confusion"] == {
        "rows": ["no", "yes"],
        "columns": ["no", "yes", "(error)"],
        "counts": [[1, 1, 1], [0, 1, 0]],
    }
    assert report == {
        "summaries": summaries,
        "chosen_by": "label references",
        "notes": [],
        "gates": [
            {
                "gate": "f1 > 0.2",
                "name": None,
                "reason": None,
                "verdict": "fired",
                "numbers": [summaries[1]["value"]],
                "intervals": [None],
            },
        ],
        "forgetting": [],
    }


@pytest.mark.parametrize(
    ("args", "code", "err"),
    [
        (
            ["p.jsonl", "--fail-if", "acuracy < 1"],
            2,
            "error: --fail-if: expected the name of a metric at column 1, got 'acuracy'\n"
            "  acuracy < 1\n  ^\n  hint: did you mean 'accuracy'?\n",
        ),
        (
            ["p.jsonl", "--fail-if", "accuracy.delta < 0"],
            2,
            "error: --fail-if: accuracy.delta compares with a baseline\n"
            "  hint: name it with --baseline FILE\n",
        ),
        (
            ["b.jsonl"],
            65,
            "error: b.jsonl:1: id 'a' has no references\n"
            "  4 bad rows in all: also b.jsonl:2, b.jsonl:3, b.jsonl:4\n"
            "  hint: name the file that has the references: --references FILE\n",
        ),
        (
            ["q.jsonl"],
            66,
            "error: q.jsonl: no such file\n  hint: did you mean 'p.jsonl'?\n",
        ),
    ],
)
def test_errors(run, args, code, err):
    assert run(*args) == (code, "", err)


def test_settings_from_a_file_and_from_flags(run, files):
    (files / "eval.toml").write_text(
        'predictions = "p.jsonl"\nmetric = ["recall"]\nseed = 5\nresamples = 100\n'
    )
    code, out, _ = run("--config=eval.toml", "--seed=6")
    assert code == 0
    assert json.loads(out)["metric"] == "recall"
    assert "resamples:100,seed:6" in json.loads(out)["signature"]


def test_rows_by_a_pipe_and_neither_torch_nor_transformers(files):
    program = (
        "import sys\n"
        "from instructune.cli import app\n"
        "try:\n"
        "    app(['eval', '--baseline=b.jsonl'], prog_name='instructune')\n"
        "finally:\n"
        "    heavy = {'torch', 'transformers', 'peft', 'datasets', 'accelerate', 'rich', 'scipy'}\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=(files / "p.jsonl").read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert [json.loads(line)["metric"] for line in done.stdout.splitlines()] == ["accuracy", "f1"]
    assert done.stderr.decode().splitlines()[-1] == "[]"


def test_text_from_data_cannot_drive_the_terminal(run, files):
    row = {"id": "a", "label": "x", "text": "t", "prediction": "x", "who": "\x1b[2Jme"}
    (files / "e.jsonl").write_text(json.dumps(row))
    code, _, err = run("e.jsonl", "--metric=accuracy", "--by=who", "--resamples=100")
    assert code == 0
    assert "who=\\x1b[2Jme" in err
    assert "\x1b" not in err


def test_a_page_and_what_was_kept_of_each_task(run, files):
    for name, rows in (("p.jsonl", PREDICTIONS), ("b.jsonl", BASELINE)):
        more = {"task": "nli <b>\x1b"} if name == "p.jsonl" else {}
        (files / name).write_text("".join(f"{json.dumps(row | more)}\n" for row in rows))
    args = ("p.jsonl", "--baseline=b.jsonl", "--metric=accuracy", "--by=lang", "-o", "s.jsonl")
    code, out, err = run(*args, "--report=r.html")
    assert (code, out) == (0, "")
    assert err.splitlines()[-3:] == [
        "task=nli <b>\\x1b: 2 kept, 2 lost, 0 gained, 0 missed (by accuracy, p 1.000)",
        "lang=zh: 0 kept, 2 lost, 0 gained, 0 missed (by accuracy, p 1.000)",
        "lang=en: 2 kept, 0 lost, 0 gained, 0 missed (by accuracy, p 1.000)",
    ]
    page = (files / "r.html").read_text()
    assert "Kept and lost by task" in page
    assert "nli &lt;b&gt;\\x1b" in page
    assert "0 missed (by accuracy, p -)" in run(*args, "--cluster=lang")[2]
    code, _, err = run(*args, "--json")
    (task, *_) = json.loads(err)["forgetting"]
    assert (task["by"], task["kept"], task["lost"]) == ({"task": "nli <b>\x1b"}, 2, 2)


def test_many_tasks_are_cut_to_the_greatest_losses(run, files):
    for name, said in (("p.jsonl", "no"), ("b.jsonl", "yes")):
        rows = [
            {
                "id": f"{i}",
                "label": "yes" if i < 3 else "no",
                "task": f"t{i:02}",
                "prediction": said,
            }
            for i in range(15)
        ]
        (files / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    lines = run("p.jsonl", "--baseline=b.jsonl", "--metric=accuracy", "-o", "s")[2].splitlines()
    told = [line for line in lines if line.startswith("task=")]
    assert len(told) == 10
    assert all("1 lost" in line for line in told[:3])
    assert all("1 gained" in line for line in told[3:])
    assert lines[-1] == "and 5 more, which lost less"
