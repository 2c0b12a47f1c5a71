"""stages/eval: files in, summaries, scores and manifests out; nothing written on a refusal."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace

import pytest

from instructune import __version__
from instructune.configs import EvalConfig
from instructune.errors import Exit, UserError
from instructune.evaluating.junit import junit
from instructune.metrics import metrics
from instructune.stages.eval import evaluate


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, rows):
        data = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return name

    return write


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def scored(name, prediction, reference, **more):
    return {"id": name, "references": [reference], "prediction": prediction} | more


def test_summaries_scores_and_manifests(write, tmp_path):
    system = write(
        "p.jsonl",
        [
            scored("b", "x", "x", note=10**30, sample=1),
            scored("b", None, "x", finish_reason="error"),
            scored("a", "the fox", "a red fox", scores={"other": 0.5}),
        ],
    )
    config = EvalConfig(
        predictions=system,
        metric=("token_f1", "exact_match"),
        output="out.jsonl",
        scores="scores.jsonl",
        resamples=200,
    )
    found = evaluate(config)
    assert rows_of(tmp_path / "out.jsonl") == found.summaries
    assert [(s["metric"], s["n"], s["n_expected"], s["n_errors"]) for s in found.summaries] == [
        ("token_f1", 3, 3, 1),
        ("exact_match", 3, 3, 1),
    ]
    assert [s["value"] for s in found.summaries] == [(0.5 + 2 / 3) / 2, 0.25]
    assert rows_of(tmp_path / "scores.jsonl") == [
        scored("b", "x", "x", note=10**30, sample=1, scores={"token_f1": 1.0, "exact_match": 1.0}),
        scored("b", None, "x", finish_reason="error", scores={"token_f1": 0.0, "exact_match": 0.0}),
        scored(
            "a",
            "the fox",
            "a red fox",
            scores={"other": 0.5, "token_f1": 2 / 3, "exact_match": 0.0},
        ),
    ]
    for name, rows in (("out.jsonl", 2), ("scores.jsonl", 3)):
        manifest = json.loads((tmp_path / f"{name}.manifest.json").read_text())
        assert manifest["artifact"] == name
        assert manifest["rows"] == rows
        assert manifest["sha256"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert manifest["inputs"] == {
            "p.jsonl": hashlib.sha256((tmp_path / "p.jsonl").read_bytes()).hexdigest()
        }
        assert manifest["versions"]["instructune"] == __version__
    before = (tmp_path / "out.jsonl").read_bytes()
    evaluate(config)
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_the_manifest_goes_where_asked(write, tmp_path):
    system = write("p.jsonl.gz", [scored("a", "x", "x")])
    evaluate(EvalConfig(predictions=system, output="o", manifest="m.json", resamples=100))
    assert json.loads((tmp_path / "m.json").read_text())["artifact"] == "o"
    assert not (tmp_path / "o.manifest.json").exists()


def test_references_and_a_baseline_from_any_tool(write, tmp_path):
    bare = [{"id": i, "prediction": p, "sample": s} for i, p, s in ((1, "x", 0), (2, "y", 0))]
    system = write("p.jsonl", [*bare, {"id": 2, "prediction": "z", "sample": 1}])
    baseline = write("b.jsonl", [{"id": "2", "prediction": "x", "sample": 1}, *bare[::-1]])
    references = write(
        "r.jsonl",
        [{"id": i, "prompt": "?", "completion": a, "lang": a} for i, a in ((1, "x"), (2, "z"))],
    )
    found = evaluate(
        EvalConfig(
            predictions=system,
            references=references,
            baseline=baseline,
            by=("lang",),
            metric=("exact_match",),
            fail_if=("exact_match.delta@lang=z > 0",),
            output="out.jsonl",
            resamples=100,
        )
    )
    whole, x, z = found.summaries
    assert (whole["value"], whole["baseline"], whole["delta"]) == (0.75, 0.5, 0.25)
    assert (whole["n"], whole["n_expected"]) == (3, 4)
    assert (x["by"], x["n"], x["n_expected"], x["delta"]) == ({"lang": "x"}, 1, 2, 0.0)
    assert (z["by"], z["n"], z["n_expected"], z["delta"]) == ({"lang": "z"}, 2, 2, 0.5)
    assert [(v.outcome, v.findings[0].number) for v in found.verdicts] == [("fired", 0.5)]
    assert found.notes == ["r.jsonl: 2 rows read as completion"]
    manifest = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert sorted(manifest["inputs"]) == ["b.jsonl", "p.jsonl", "r.jsonl"]


def test_ifeval_rows_are_references_as_they_are(write):
    rows = [
        {
            "key": key,
            "prompt": "do",
            "instruction_id_list": ["punctuation:no_comma", *more],
            "kwargs": [{}] * (1 + len(more)),
        }
        for key, more in ((7, []), (8, ["startend:quotation"]), (9, ["keywords:rhyme"]))
    ]
    references = write("ifeval.jsonl", rows)
    predictions = [{"id": "7", "prediction": "so"}, {"id": 8, "prediction": "so"}]
    system = write("p.jsonl", [*predictions, {"id": "9", "prediction": "so"}])
    found = evaluate(EvalConfig(predictions=system, references=references, resamples=100))
    assert found.chosen_by == "checks"
    assert [(s["metric"], s["value"]) for s in found.summaries] == [
        ("checks", pytest.approx(1 / 3)),
        ("checks_each", pytest.approx(3 / 5)),
    ]
    details = found.summaries[0]["details"]
    assert details["unverifiable"] == {
        "n": 1,
        "checks": {"keywords:rhyme": "unknown check 'keywords:rhyme'"},
    }
    assert found.notes == ["ifeval.jsonl: 3 rows read as ifeval"]
    with pytest.raises(UserError, match="has none"):
        config = EvalConfig(predictions=system, references=references, metric=("exact_match",))
        evaluate(config)


def test_errors_of_the_baseline_are_told(write):
    system = write("p.jsonl", [scored("a", "x", "x"), scored("b", "x", "x")])
    baseline = write("b.jsonl", [{"id": "a", "prediction": None}, {"id": "b", "prediction": "x"}])
    found = evaluate(EvalConfig(predictions=system, baseline=baseline, output="o", resamples=100))
    assert found.notes == ["1 of 2 baseline predictions are errors"]
    assert found.summaries[0]["baseline"] == 0.5


def test_metrics_with_options_and_gates_on_them(write, tmp_path):
    system = write("p.jsonl", [scored("a", "running", "runs"), scored("b", "x", "y")])
    config = EvalConfig(
        predictions=system,
        metric=("rouge_l", "rouge_l:stemmer=true", "rouge_1:stemmer=true"),
        fail_if=('"rouge_l:stemmer=true" < 0.6', "rouge_l > 0.1", "rouge_1 < 0.6"),
        output="out.jsonl",
        scores="scores.jsonl",
        resamples=100,
    )
    found = evaluate(config)
    assert {s["metric"]: s["value"] for s in found.summaries} == {
        "rouge_l": 0.0,
        "rouge_l:stemmer=true": 0.5,
        "rouge_1:stemmer=true": 0.5,
    }
    assert [verdict.fired for verdict in found.verdicts] == [True, False, True]
    assert "|stemmer:true|tokens:unicode|" in found.summaries[1]["signature"]
    assert rows_of(tmp_path / "scores.jsonl")[0]["scores"] == {
        "rouge_l": 0.0,
        "rouge_l:stemmer=true": 1.0,
        "rouge_1:stemmer=true": 1.0,
    }


def test_a_gate_brings_its_metric_options_and_all(write):
    system = write("p.jsonl", [scored("a", "runs", "running"), scored("b", "x", "x")])
    gate = "'rouge_l:stemmer=yes'.low > 0 and exact_match < 1"
    found = evaluate(EvalConfig(predictions=system, fail_if=(gate,), resamples=100, output="o"))
    assert [s["metric"] for s in found.summaries][-1] == "rouge_l:stemmer=yes"
    assert found.verdicts[0].fired


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_a_metric_without_an_upper_bound_or_spread_has_no_interval(write, metric):
    rows = [{"id": i, "references": [1.0], "prediction": 1.5} for i in "abc"]
    config = EvalConfig(
        predictions=write("p.jsonl", rows),
        baseline=write("b.jsonl", rows),
        metric=(metric,),
        output="o",
    )
    summary = evaluate(config).summaries[0]
    assert (summary["value"], summary["ci95"]) == (0.5, None)
    assert (summary["delta"], summary["delta_ci95"], summary["p"]) == (0, None, 1.0)
    assert "|ci:none," in summary["signature"]
    assert "|delta_ci:none|" in summary["signature"]


def test_seed_and_resamples_are_those_asked_for(write):
    system = write("p.jsonl", [scored(str(i), "x" if i % 3 else "x y", "x") for i in range(20)])

    def interval(**settings):
        config = EvalConfig(predictions=system, output="o", metric=("token_f1",), **settings)
        (summary,) = evaluate(config).summaries
        return summary["signature"].split("|")[6], summary["ci95"]

    assert interval()[0] == "ci:bca,resamples:10000,seed:0"
    few, many = interval(resamples=100), interval(resamples=101, seed=3)
    assert few[0] == "ci:bca,resamples:100,seed:0"
    assert many[0] == "ci:bca,resamples:101,seed:3"
    assert len({tuple(ci95) for _, ci95 in (few, many, interval())}) > 1


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"metric": ("exact_mach",)}, Exit.USAGE, "unknown metric 'exact_mach'"),
        ({"fail_if": ("f1.delta < 0",)}, Exit.USAGE, "f1.delta compares with a baseline"),
        ({"fail_if": ("f1@a=b < 0.5",)}, Exit.USAGE, "is about a slice that is not made"),
        ({"fail_if": ("f1 < x",)}, Exit.USAGE, "expected a number at column 6"),
        ({"by": ("lang",)}, Exit.USAGE, "no row has the field 'lang'"),
        ({"scores": "out.jsonl"}, Exit.USAGE, "two outputs cannot go to one place"),
        ({"scores": "p.jsonl"}, Exit.USAGE, "is also an input"),
        ({"output": "b.jsonl", "baseline": "b.jsonl"}, Exit.USAGE, "is also an input"),
        ({"output": "nowhere/out.jsonl"}, Exit.CANNOT_CREATE, "no such directory"),
        ({"references": "-", "baseline": "-"}, Exit.USAGE, "can serve only one of"),
        ({"by": ("lang,task",)}, Exit.USAGE, "no row has the field 'lang'"),
        ({"cluster": "doc"}, Exit.BAD_DATA, "id 'a': has no field 'doc'"),
        ({"gates": "none.toml"}, Exit.NO_INPUT, "no such file"),
        ({"gates": "b.jsonl"}, Exit.USAGE, "b.jsonl: not TOML"),
        ({"gates": "-", "predictions": "-"}, Exit.USAGE, "can serve only one of"),
        ({"fail_if": ("f1 < 0",), "junit": "out.jsonl"}, Exit.USAGE, "two outputs cannot go to"),
        ({"fail_if": ("f1 < 0",), "junit": "p.jsonl"}, Exit.USAGE, "is also an input"),
        ({"predictions": "none.jsonl"}, Exit.NO_INPUT, "no such file"),
        ({"metric": ("rouge_l:stem=1",)}, Exit.USAGE, "metric 'rouge_l' has no option 'stem'"),
        ({"metric": ("f1:a=1",)}, Exit.USAGE, "metric 'f1' takes no options, got a"),
        ({"fail_if": ("'rouge_l:x=1' < 1",)}, Exit.USAGE, "metric 'rouge_l' has no option 'x'"),
        ({"metric": ("f1",), "scores": "s.jsonl"}, Exit.USAGE, "f1 has no score a row"),
        (
            {"by": ("id",), "fail_if": ("exact_match@id=c < 1",)},
            Exit.BAD_DATA,
            "no row has id=c",
        ),
    ],
)
def test_a_refusal_writes_nothing(write, tmp_path, settings, code, message):
    write("p.jsonl", [scored("a", "x", "x")])
    write("b.jsonl", [scored("a", "x", "x")])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    config = {"predictions": "p.jsonl", "output": "out.jsonl", "resamples": 100} | settings
    with pytest.raises(UserError) as caught:
        evaluate(EvalConfig(**config))
    assert caught.value.code == code
    assert message in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_clusters_adjustment_and_crossed_slices_are_those_asked_for(write):
    rows = [scored(str(i), "x" if i % 3 else "y", "x", doc=i // 2, k=i % 2) for i in range(12)]
    system = write("p.jsonl", rows)
    config = {"predictions": system, "output": "o", "metric": ("exact_match",), "resamples": 100}
    more = {"cluster": "doc", "by": ("k,doc",), "adjust": "bh", "baseline": write("b.jsonl", rows)}
    found = evaluate(EvalConfig(**config, **more))
    assert found.summaries[0]["n_clusters"] == 6
    assert found.summaries[1]["by"] == {"k": 0, "doc": 0}
    assert "|unit:doc|" in found.summaries[0]["signature"]
    assert "|adjust:bh,tests:13|" in found.summaries[0]["signature"]


def test_gates_of_a_file_and_of_flags_and_their_report_as_junit(write, tmp_path):
    system = write("p.jsonl", [scored(str(i), "x" if i % 3 else "y", "x") for i in range(12)])
    (tmp_path / "g.toml").write_text(
        'fail-if = ["token_f1 < 0.5 surely"]\n'
        '[[gate]]\nfail-if = "exact_match < 0.9"\nname = "floor"\nreason = "agreed"\n'
    )
    config = EvalConfig(
        predictions=system,
        output="o",
        resamples=100,
        fail_if=("exact_match < 0.5",),
        gates="g.toml",
        junit="j.xml",
    )
    found = evaluate(config)
    assert [(v.gate.name, v.outcome) for v in found.verdicts] == [
        (None, "passed"),
        (None, "undecided"),
        ("floor", "fired"),
    ]
    assert (tmp_path / "j.xml").read_bytes() == junit(found.verdicts, undecided="pass")
    evaluate(replace(config, undecided="fail"))
    assert (tmp_path / "j.xml").read_bytes() == junit(found.verdicts, undecided="fail")


@pytest.mark.parametrize(
    "settings",
    [
        {"resamples": 99},
        {"seed": -1},
        {"adjust": "bonferroni"},
        {"undecided": "skip"},
        {"junit": "j.xml"},
    ],
)
def test_settings_out_of_range(settings):
    with pytest.raises(UserError) as caught:
        EvalConfig(**settings)
    assert caught.value.code == Exit.USAGE


def test_rows_that_share_text_with_training_are_scored_apart(write, tmp_path):
    words = [f"w{i}" for i in range(40)]
    asked = [" ".join(words[:20]), " ".join(words[20:]), "other"]
    rows = [
        {"id": str(i), "text": text, "references": ["x"], "prediction": "xyx"[i]}
        for i, text in enumerate(asked)
    ]
    system = write("p.jsonl", rows)
    train = write("train.jsonl", [{"text": "before " + " ".join(words[3:17])}])
    how = {"metric": ("exact_match",), "resamples": 100, "scores": "s.jsonl"}
    found = evaluate(EvalConfig(predictions=system, seen=(train,), output="o", **how))
    by_slice = {str(s["by"]): (s["n"], s["value"]) for s in found.summaries}
    assert by_slice == {
        "None": (3, 2 / 3),
        "{'seen': False}": (2, 0.5),
        "{'seen': True}": (1, 1.0),
    }
    told = [row["seen"] for row in rows_of(tmp_path / "s.jsonl")]
    assert told == [True, False, False]
    gate = "exact_match@seen=false < 0.6"
    verdicts = evaluate(
        EvalConfig(predictions=system, seen=(train,), fail_if=(gate,), output="o", **how)
    ).verdicts
    assert [verdict.fired for verdict in verdicts] == [True]


@pytest.mark.parametrize("name", metrics.names())
def test_no_metric_scores_a_file_of_nothing_but_errors(write, tmp_path, name, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_ALLOW_CODE", "1")
    write("words.txt", [])
    needed = {"odds_gap": ":by=g,positive=x", "parity_gap": ":by=g,positive=x"}
    needed |= {"score_gap": ":by=g", "toxic_rate": ":words=words.txt"}
    rows = [scored(str(i), None, "x", g=i, checks=[{"check": "quoted"}]) for i in range(3)]
    config = EvalConfig(write("p.jsonl", rows), metric=(name + needed.get(name, ""),), output="o")
    with pytest.raises(UserError) as caught:
        evaluate(config)
    assert caught.value.code == Exit.BAD_DATA
    assert not (tmp_path / "o").exists()
