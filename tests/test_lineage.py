"""lineage: manifests that say what a file is made of, and nothing about the machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from instructune import __version__
from instructune.lineage import fingerprint, manifest_path, shortened, versions, write_manifest


@dataclass(frozen=True)
class Config:
    sources: tuple[str, ...] = ("/home/ann/in.jsonl", "data/b.jsonl")
    seed: int = 3
    output: str = "/tmp/x/out.jsonl"
    rejects: str | None = None


def test_a_fingerprint_knows_no_order_of_keys():
    one = fingerprint({"a": 1, "b": [{"y": 1, "x": 2}]})
    assert one == fingerprint({"b": [{"x": 2, "y": 1}], "a": 1})
    assert one != fingerprint({"a": 1, "b": [{"x": 2, "y": 2}]})
    assert fingerprint([1, 2]) != fingerprint([2, 1])
    assert len(one) == 16


def test_versions_name_this_package_first():
    assert list(versions("pytest")) == ["instructune", "pytest"]
    assert versions()["instructune"] == __version__


def test_paths_lose_their_folders_only_when_absolute():
    assert shortened("/home/ann/x.jsonl") == "x.jsonl"
    assert shortened("data/x.jsonl") == "data/x.jsonl"
    assert shortened(("/a/b", 3, None)) == ["b", 3, None]
    assert shortened("caf\udce9") == "caf\\xe9"


def manifest(tmp_path: Path, **more) -> dict:
    (tmp_path / "out.jsonl").write_bytes(b"{}\n")
    path = tmp_path / "m.json"
    given = {
        "artifact": str(tmp_path / "out.jsonl"),
        "rows": 1,
        "config": Config(),
        "inputs": {"/home/ann/in.jsonl": "aa", "-": "bb"},
    }
    write_manifest(str(path), **given | more)
    return json.loads(path.read_bytes())


def test_a_manifest_in_full(tmp_path):
    assert manifest(tmp_path, counts={"rows_in": 1}) == {
        "artifact": "out.jsonl",
        "sha256": hashlib.sha256(b"{}\n").hexdigest(),
        "rows": 1,
        "config": {
            "sources": ["in.jsonl", "data/b.jsonl"],
            "seed": 3,
            "output": "out.jsonl",
            "rejects": None,
        },
        "inputs": {"in.jsonl": "aa", "-": "bb"},
        "versions": {"instructune": __version__},
        "counts": {"rows_in": 1},
    }


def test_inputs_of_one_name_are_all_kept(tmp_path):
    inputs = {"/a/x.jsonl": "1", "/b/x.jsonl": "2", "x.jsonl": "3"}
    assert manifest(tmp_path, inputs=inputs)["inputs"] == {
        "x.jsonl": "1",
        "x.jsonl (2)": "2",
        "x.jsonl (3)": "3",
    }


def test_a_pipe_has_no_hash(tmp_path):
    assert manifest(tmp_path, artifact="-")["sha256"] is None


@pytest.mark.parametrize(
    ("output", "asked", "expected"),
    [
        ("-", None, None),
        ("-", "m.json", "m.json"),
        ("/dev/null", None, None),
        ("none", None, None),
    ],
)
def test_where_a_manifest_goes(output, asked, expected):
    assert manifest_path(output, asked) == expected


def test_beside_a_file(write):
    name = write("out.jsonl", b"")
    assert manifest_path(name, None) == f"{name}.manifest.json"
    assert manifest_path(name, "m.json") == "m.json"


def test_paths_in_the_options_of_a_plug_in_lose_their_folders():
    spec = "neighbours:data=/home/me/a.jsonl+/b/c.jsonl,k=3"
    assert shortened(spec) == "neighbours:data=a.jsonl+c.jsonl,k=3"
    assert shortened("neighbours:data=x/a.jsonl") == "neighbours:data=x/a.jsonl"
    assert shortened("is a:b =/x/y?") == "is a:b =/x/y?"
