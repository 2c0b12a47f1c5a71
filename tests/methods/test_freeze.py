"""Chosen parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructune.architectures import Head
from instructune.errors import Exit
from tests.method_cases import LAYERS, Case, check, refused, wrong

BLOCK = sum(rows * columns for rows, columns in LAYERS[:7]) + 2 * 64
TABLE = 260 * 64


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        ("freeze", BLOCK + 64),
        ("freeze:layers=2", 2 * BLOCK + 64),
        ("freeze:head=false", BLOCK),
        ("freeze:layers=0", 64),
        ("freeze:layers=0,head=false,embeddings=true", TABLE),
        ("freeze:layers=2,embeddings=true", 2 * BLOCK + 64 + TABLE),
        (r"freeze:layers=0,head=false,pattern=layers\.0\..*q_proj", 64 * 64),
        ("freeze:layers=0,pattern=k_proj", 64 + 2 * 32 * 64),
    ],
)
def test_it_has_the_size_of_its_formula(spec: str, count: int) -> None:
    assert Case(spec).count == count


def test_the_top_of_other_models() -> None:
    def parts(preset: str, head: Head, spec: str) -> set[str]:
        return {".".join(name.split(".")[:4]) for name in Case(spec, preset, head).trained}

    classifier = Head("sequence", ("a", "b"), pad_id=256)
    above = {"bert.pooler.dense.weight", "bert.pooler.dense.bias"}
    above |= {"classifier.weight", "classifier.bias"}
    assert parts("tiny-bert", classifier, "freeze") == above | {"bert.encoder.layer.1"}
    norms = {"encoder.final_layer_norm.weight", "decoder.final_layer_norm.weight"}
    blocks = {"encoder.block.1.layer", "decoder.block.1.layer"}
    assert parts("tiny-t5", Head("seq2seq"), "freeze") == norms | blocks
    only = "freeze:layers=0,head=false,embeddings=true"
    assert parts("tiny-t5", Head("seq2seq"), only) == {"shared.weight"}
    assert parts("tiny-gpt2", Head(), only) == {"transformer.wte.weight", "transformer.wpe.weight"}
    names = Case(only, "tiny-bert", Head("masked")).trained
    assert {name.split(".")[1] for name in names} == {"embeddings"}
    assert any("LayerNorm" in name for name in names)


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("freeze"), tmp_path / "model")


def test_what_makes_no_sense() -> None:
    wrong("freeze:layers=-1", "method 'freeze': layers must be at least 0, got -1")
    wrong("freeze:pattern=(", "method 'freeze': pattern is no regular expression")
    with refused(Exit.USAGE, "method 'freeze': layers must be at most 2, got 3"):
        Case("freeze:layers=3")
    with refused(Exit.USAGE, "method 'freeze': pattern 'nowhere' finds no parameter"):
        Case("freeze:pattern=nowhere")
    with refused(Exit.USAGE, "method 'freeze': nothing is left to be trained"):
        Case("freeze:layers=0,head=false")
