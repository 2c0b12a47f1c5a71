"""The four verbs joined by pipes alone, as a shell runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Run a pipeline of bash in a scratch folder; `I` is instructune, `DATA` the samples."""
    folder = tmp_path_factory.mktemp("pipe")

    def run(script: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "I": f"{sys.executable} -m instructune",
            "DATA": str(ROOT / "data/samples"),
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    run.folder = folder
    return run


@pytest.fixture(scope="module")
def trained(shell):
    result = shell("cat $DATA/*.jsonl | $I prepare - | $I train - -m tiny-llama -o run --steps 5")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_samples_flow_from_cat_to_a_trained_run(trained, shell):
    assert trained["steps"] == 5
    assert trained["rows"] == 352
    assert trained["loss_last"] < trained["loss_first"]
    assert (shell.folder / "run/model/model.safetensors").is_file()
    assert len((shell.folder / "run/data.jsonl").read_bytes().splitlines()) == 352


def test_answers_flow_into_scores(trained, shell):
    result = shell(
        "head -n 12 $DATA/parcels/test.jsonl | $I prepare - "
        "| $I generate - -m run --max-new-tokens 4 | $I eval -"
    )
    assert result.returncode == 0, result.stderr
    summaries = [json.loads(line) for line in result.stdout.splitlines()]
    assert {s["metric"] for s in summaries} >= {"exact_match", "token_f1"}
    assert {(s["n"], s["n_expected"]) for s in summaries} == {(12, 12)}


def test_a_reader_that_leaves_early_ends_the_writer_quietly(shell):
    # far more than a pipe holds, so that the writer must notice
    result = shell(
        "for i in {1..60}; do cat $DATA/messages.jsonl; done | $I prepare - --id hash | head -1"
    )
    assert result.returncode == 141
    assert len(result.stdout.splitlines()) == 1
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


def test_a_producer_that_fails_hands_nothing_on(shell):
    result = shell(
        "(head -n 3 $DATA/alpaca.jsonl; echo '{broken') | $I prepare - "
        "| $I train - -m tiny-llama -o never --steps 1; echo ${PIPESTATUS[@]}"
    )
    assert result.stdout.split() == ["0", "65", "65"]
    assert "not JSON" in result.stderr
    assert "no rows" in result.stderr
    assert not (shell.folder / "never").exists()


def test_a_generation_that_fails_gives_no_score(shell, trained):
    result = shell(
        "(head -n 2 $DATA/parcels/test.jsonl; echo '{broken') "
        "| $I generate - -m run --max-new-tokens 2 | $I eval -; echo ${PIPESTATUS[@]}"
    )
    assert result.stdout.split() == ["0", "65", "65"]
