"""explainers.integrated: complete within its tolerance, or it says that it is not."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from tests.explaining import PROMPT, explain, source


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))


@pytest.mark.parametrize("kind", ["mean", "zero", "pad"])
def test_the_values_add_up(kind):
    found = explain(f"integrated:baseline={kind},steps=512,tolerance=0.002", source())
    check = found["check"]
    difference = check["score"] - check["baseline"]
    assert check["complete"]
    assert check["gap"] <= 0.002 * max(1, abs(difference))
    assert sum(found["values"]) == pytest.approx(difference, abs=check["gap"] + 5e-3)
    assert len(found["values"]) == len(found["tokens"]) == len(PROMPT)


def test_steps_and_tolerance_are_heeded():
    of = source()
    few = explain("integrated:baseline=zero,steps=4,tolerance=1e-6", of)
    many = explain("integrated:baseline=zero,steps=40,tolerance=1e-6", of)
    loose = explain("integrated:baseline=zero,steps=40,tolerance=1000", of)
    assert (few["check"]["steps"], many["check"]["steps"]) == (4, 36)
    assert (few["check"]["complete"], loose["check"]["complete"]) == (False, True)
    assert loose["check"]["steps"] == 4
    assert many["check"]["gap"] < few["check"]["gap"]


@pytest.mark.parametrize("spec", ["steps=3", "steps=5000", "tolerance=0", "baseline=x"])
def test_refused(spec):
    with pytest.raises(UserError) as caught:
        explain(f"integrated:{spec}", None)
    assert caught.value.code == 2
