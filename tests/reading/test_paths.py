"""paths: directories and patterns stand for the same files in the same order everywhere."""

from __future__ import annotations

import os

import pytest

from instructune.errors import UserError
from instructune.reading.paths import expanded


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("d/b.txt", "d/a/z.txt", "d/10.json", "d/2.json", "d/é.txt", "d/.hidden/x", "d/.x"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_files_and_the_pipe_stay_as_typed(tree):
    assert expanded(["-", "none", "d/b.txt", "./d/b.txt"]) == ["-", "none", "d/b.txt", "./d/b.txt"]


def test_a_directory_is_all_files_below_it_by_their_bytes(tree):
    files = ["d/10.json", "d/2.json", "d/a/z.txt", "d/b.txt", "d/é.txt"]
    assert expanded(["d"]) == files
    assert expanded(["d/"]) == files
    assert expanded(["./d"]) == [f"./{name}" for name in files]


def test_patterns(tree):
    assert expanded(["d/*.json"]) == ["d/10.json", "d/2.json"]
    assert expanded(["d/**/*.txt"]) == ["d/a/z.txt", "d/b.txt", "d/é.txt"]
    assert expanded(["d/*"]) == ["d/10.json", "d/2.json", "d/b.txt", "d/é.txt"]
    assert expanded(["d/[0-9].j*"]) == ["d/2.json"]
    (tree / "a*b").write_bytes(b"")
    assert expanded(["a*b"]) == ["a*b"]


def test_manifests_are_no_data_unless_asked_for(tree):
    (tree / "d/2.json.manifest.json").write_bytes(b"{}")
    (tree / "d/lone.manifest.json").write_bytes(b"{}")
    assert expanded(["d/*.json"]) == ["d/10.json", "d/2.json", "d/lone.manifest.json"]
    assert "d/2.json.manifest.json" not in expanded(["d"])
    assert "d/2.json.manifest.json" in expanded(["d/*.manifest.json"])
    assert expanded(["d/2.json.manifest.json"]) == ["d/2.json.manifest.json"]


def test_links_are_followed_but_never_in_a_circle(tree):
    (tree / "d/a/up").symlink_to("..")
    (tree / "other").mkdir()
    (tree / "other/w").write_bytes(b"x")
    (tree / "d/link").symlink_to("../other")
    (tree / "d/broken").symlink_to("nowhere")
    os.mkfifo(tree / "d/pipe")
    assert expanded(["d/a", "d"])[0] == "d/a/up/10.json"
    found = expanded(["d"])
    assert "d/link/w" in found
    assert "d/broken" in found  # told when it is opened
    assert "d/pipe" not in found
    assert len(found) == 7


@pytest.mark.parametrize(
    ("name", "reason"),
    [("*.csv", "no file matches"), ("d/**/*.csv", "no file matches"), ("e", "no files in this")],
)
def test_nothing_there_is_an_error(tree, name, reason):
    (tree / "e").mkdir()
    with pytest.raises(UserError, match=reason) as caught:
        expanded([name])
    assert (caught.value.where, caught.value.code) == (name, 66)
