"""Checkpoints: any damage is seen, the older one is taken, and no crash leaves half of one."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from instructune.errors import Exit, UserError
from instructune.training import checkpoints


def tensors_of(step: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    return {
        "master.w": torch.randn(7, 5, generator=generator),
        "exp_avg.w": torch.randn(7, 5, generator=generator).T,  # not contiguous
        "step.w": torch.tensor(float(step)),
        "rng.cpu": torch.randint(0, 256, (64,), generator=generator).to(torch.uint8),
    }


def save(folder: Path, step: int) -> Path:
    return checkpoints.save(folder, step, tensors_of(step), {"state": {"step": step}, "words": "ä"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three checkpoints."""
    for step in (2, 4, 6):
        save(tmp_path / "checkpoints", step)
    return tmp_path / "checkpoints"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_comes_back(folder: Path) -> None:
    path = folder / "step-000004"
    assert names(path) == ["MANIFEST.json", "state.json", "state.safetensors"]
    assert checkpoints.fault(path) is None
    tensors, state = checkpoints.load(path)
    assert state == {"state": {"step": 4}, "words": "ä"}
    assert tensors.keys() == tensors_of(4).keys()
    for name, tensor in tensors_of(4).items():
        assert torch.equal(tensors[name], tensor)
        assert tensors[name].dtype == tensor.dtype


def test_it_is_the_same_bytes_every_time(folder: Path) -> None:
    before = {p.name: p.read_bytes() for p in (folder / "step-000004").iterdir()}
    save(folder, 4)  # in place of the one that is there
    assert {p.name: p.read_bytes() for p in (folder / "step-000004").iterdir()} == before


def test_names_order_and_newest(folder: Path) -> None:
    save(folder, 1_000_000)
    for name in ("step-7", "step-00000x", "other", ".tmp-step-000008-1-ab"):
        (folder / name).mkdir()
    (folder / "step-000009").write_text("a file")
    assert checkpoints.name_of(12) == "step-000012"
    steps = [checkpoints.step_of(path) for path in checkpoints.listed(folder)]
    assert steps == [1_000_000, 6, 4, 2]
    assert checkpoints.newest(folder) == (folder / "step-1000000", [])
    assert checkpoints.newest(folder / "none") == (None, [])


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def bits(path: Path) -> int:
    return path.stat().st_size * 8


def test_bits_of_the_manifest_count(folder: Path) -> None:
    path = folder / "step-000006"
    manifest = path / checkpoints.MANIFEST
    data = manifest.read_bytes()
    unseen = []
    for bit in range(0, bits(manifest), 3):  # in time each place within a byte
        flip(manifest, bit)
        if checkpoints.fault(path) is None:
            unseen.append((bit, manifest.read_bytes()))
        manifest.write_bytes(data)
    assert unseen == []


@pytest.mark.parametrize(
    ("flips", "cuts", "swaps"),
    [
        pytest.param(200, 60, 12, id="some"),
        pytest.param(2000, 500, 100, id="many", marks=pytest.mark.slow),
    ],
)
def test_random_damage_is_always_seen(folder: Path, flips: int, cuts: int, swaps: int) -> None:
    rng = random.Random(0)
    path = folder / "step-000006"
    files = sorted(path.iterdir())
    good = {file: file.read_bytes() for file in files}
    seen = 0

    def damaged(change: Callable[[Path], None]) -> bool:
        file = rng.choice(files)
        change(file)
        found, skipped = checkpoints.newest(folder)
        for file, data in good.items():
            file.write_bytes(data)
        if found != folder / "step-000004":
            return False
        (told,) = skipped
        return told.startswith(f"{path}: ")

    for _ in range(flips):
        seen += damaged(lambda file: flip(file, rng.randrange(bits(file))))
    for _ in range(cuts):
        seen += damaged(lambda file: os.truncate(file, rng.randrange(file.stat().st_size)))
    for _ in range(swaps):
        other = folder / rng.choice(("step-000002", "step-000004"))
        seen += damaged(lambda file, other=other: shutil.copy(other / file.name, file))
    assert seen == flips + cuts + swaps
    assert checkpoints.fault(path) is None


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((path / checkpoints.MANIFEST).read_text())
    change(manifest)
    (path / checkpoints.MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda p: (p / "state.safetensors").unlink(), "state.safetensors is missing"),
        (lambda p: (p / "state.json").unlink(), "state.json is missing"),
        (lambda p: (p / "MANIFEST.json").unlink(), "MANIFEST.json is missing"),
        (lambda p: (p / "state.safetensors").write_bytes(b""), "state.safetensors is damaged"),
        (lambda p: (p / "MANIFEST.json").write_bytes(b""), "MANIFEST.json is damaged"),
        (lambda p: (p / "MANIFEST.json").write_text("[]"), "MANIFEST.json is damaged"),
        (lambda p: edit(p, lambda m: m.pop("sha256")), "MANIFEST.json is damaged"),
        (lambda p: edit(p, lambda m: m.update(sha256=None)), "MANIFEST.json is damaged"),
        (lambda p: edit(p, lambda m: m["sha256"].popitem()), "manifest lists other files"),
        (
            lambda p: edit(p, lambda m: m["sha256"].update({"state.json": None})),
            "state.json is damaged",
        ),
        (lambda p: edit(p, lambda m: m.pop("step")), "MANIFEST.json is damaged"),
        (lambda p: edit(p, lambda m: m.update(step="6")), "MANIFEST.json is damaged"),
        (lambda p: edit(p, lambda m: m.update(step=5)), "is the checkpoint of step 5"),
        (
            lambda p: (shutil.rmtree(p), (p.parent / "step-000002").rename(p)),
            "is the checkpoint of step 2",
        ),
        (
            lambda p: ((p / "state.json").unlink(), (p / "state.json").mkdir()),
            "state.json is missing",
        ),
    ],
)
def test_damage_is_named_and_the_older_one_taken(
    folder: Path, damage: Callable[[Path], object], told: str
) -> None:
    path = folder / "step-000006"
    damage(path)
    assert checkpoints.fault(path) == told
    assert checkpoints.newest(folder) == (folder / "step-000004", [f"{path}: {told}"])


def test_a_check_may_object(folder: Path) -> None:
    def check(state: dict[str, Any]) -> str | None:
        return "too new" if state["state"]["step"] > 2 else None

    path, skipped = checkpoints.newest(folder, check)
    assert path == folder / "step-000002"
    assert skipped == [f"{folder}/step-000006: too new", f"{folder}/step-000004: too new"]


def test_what_cannot_be_read_is_no_reason_to_take_an_older_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(checkpoints.files, "sha256_file", denied)
    with pytest.raises(UserError, match="permission denied") as raised:
        checkpoints.newest(folder)
    assert raised.value.code == Exit.PERMISSION


def test_old_ones_go_and_the_best_stays(folder: Path) -> None:
    for step in (8, 10):
        save(folder, step)
    checkpoints.prune(folder, 10, 2, {"step-000004"})
    assert names(folder) == ["step-000004", "step-000008", "step-000010"]
    checkpoints.prune(folder, 10, 1, {""})
    assert names(folder) == ["step-000010"]


def test_the_one_just_saved_stays_whatever_lies_beside_it(folder: Path) -> None:
    # resumed from 4 because 6 and 8 were damaged: these must not crowd out the good ones
    for step in (8, 5):
        save(folder, step)
    for step in (6, 8):
        (folder / checkpoints.name_of(step) / "state.json").unlink()
    checkpoints.prune(folder, 5, 2, {""})
    assert names(folder) == ["step-000004", "step-000005"]
    assert checkpoints.newest(folder) == (folder / "step-000005", [])


def test_what_crashes_left_goes_with_the_next_one(folder: Path) -> None:
    for name in (".tmp-step-000008-77-abcd", ".old-step-000001", ".old-step-000002-ab"):
        (folder / name).mkdir()
        (folder / name / "state.safetensors").write_bytes(b"half")
    checkpoints.prune(folder, 6, 3, {""})
    assert names(folder) == ["step-000002", "step-000004", "step-000006"]


@pytest.mark.parametrize("call", range(1, 12))
def test_a_failure_at_any_point_leaves_no_checkpoint(
    folder: Path, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the n-th fsync, rename, write or hash an error is raised, as a signal would."""
    calls = 0

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise KeyboardInterrupt
            return real(*args, **options)

        return run

    for owner, name in ((os, "fsync"), (os, "rename"), (os, "chmod"), (os, "mkdir")):
        monkeypatch.setattr(owner, name, failing(getattr(owner, name)))
    monkeypatch.setattr(checkpoints, "save_file", failing(checkpoints.save_file))
    monkeypatch.setattr(checkpoints.files, "sha256_file", failing(checkpoints.files.sha256_file))
    try:
        save(folder, 8)
    except KeyboardInterrupt:
        monkeypatch.undo()
        whole = names(folder) == ["step-000002", "step-000004", "step-000006", "step-000008"]
        assert whole or names(folder) == ["step-000002", "step-000004", "step-000006"]
        assert checkpoints.newest(folder)[1] == []
    else:
        assert calls < call


def test_a_full_disk_is_an_io_error_and_leaves_nothing(folder: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        with pytest.raises(UserError, match="file too large") as raised:
            save(folder, 8)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.code == Exit.IO
    assert raised.value.where == str(folder / "step-000008")
    assert names(folder) == ["step-000002", "step-000004", "step-000006"]


def test_other_complaints_of_safetensors_stay_what_they_are() -> None:
    from safetensors import SafetensorError

    with pytest.raises(SafetensorError), checkpoints.disk_errors():
        raise SafetensorError("no such thing")


def test_a_link_points_into_the_run_wherever_it_is_moved(folder: Path) -> None:
    link = folder.parent / "best"
    checkpoints.point(link, folder / "step-000002")
    (folder.parent / ".best.tmp").symlink_to("left by a crash")
    checkpoints.point(link, folder / "step-000004")
    assert os.readlink(link) == "checkpoints/step-000004"
    moved = folder.parent.parent / "moved"
    folder.parent.rename(moved)
    assert checkpoints.fault((moved / "best").resolve()) is None
