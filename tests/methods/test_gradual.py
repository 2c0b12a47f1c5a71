"""Gradual unfreezing."""

from __future__ import annotations

from pathlib import Path

from instructune.architectures import Head
from instructune.errors import Exit
from tests.method_cases import Case, check, refused, wrong

CLASSIFIER = Head("sequence", ("a", "b"), pad_id=256)


def parts(case: Case) -> set[str]:
    """What is trained at the moment."""
    known = {"pooler": "head", "classifier": "head", "embeddings": "embeddings"}
    found = {next((v for k, v in known.items() if k in name), name[:20]) for name in case.trained}
    return {part.removeprefix("bert.encoder.layer.")[:10] for part in found}


def test_everything_is_trained_in_the_end() -> None:
    case = Case("gradual")
    assert case.count == sum(p.numel() for p in case.base.parameters())
    check_groups = [sum(p.numel() for p in group) for group in case.coach.groups]
    assert sum(check_groups) == case.count


def test_the_top_group_first_then_one_more_at_equal_distances() -> None:
    """Head, two blocks, embeddings: after 0, 1/3, 2/3 and 3/3 of half of 12 steps."""
    case = Case("gradual", "tiny-bert", CLASSIFIER, steps=12)
    seen = []
    for step in range(13):
        case.coach.begin(step)
        seen.append(parts(case))
    top, one, two = {"head"}, {"head", "1"}, {"head", "1", "0"}
    assert seen == [top] * 2 + [one] * 2 + [two] * 2 + [two | {"embeddings"}] * 7


def test_until() -> None:
    case = Case("gradual:until=1", "tiny-bert", CLASSIFIER, steps=12)
    assert [case.coach.due(step) for step in (0, 3, 4, 7, 8, 11, 12)] == [1, 1, 2, 2, 3, 3, 4]
    wrong("gradual:until=0", "method 'gradual': until must be above 0 to 1, got 0.0")
    wrong("gradual:until=1.5", "method 'gradual': until must be above 0 to 1, got 1.5")


def test_a_norm_is_no_group_of_its_own() -> None:
    """The output layer of a tiny Llama is tied to its embeddings."""
    groups = Case("gradual").coach.groups
    assert len(groups) == 3
    assert {p.ndim for p in groups[0]} == {1, 2}


def test_a_pooler_that_nothing_is_learned_by_is_no_group_of_its_own() -> None:
    """Vectors are made of the last states, so with the pooler alone no step could be taken."""
    case = Case("gradual", "tiny-bert", Head("encoder"))
    case.coach.begin(0)
    assert {name.partition(".layer.")[2][:1] or name for name in case.trained} == {
        "1",
        "pooler.dense.weight",
        "pooler.dense.bias",
    }
    with refused(Exit.USAGE, "method 'freeze': nothing is left to be trained"):
        Case("freeze:layers=0", "tiny-bert", Head("encoder"))


def test_frozen_parts_stay_as_they_are() -> None:
    case = Case("gradual", "tiny-bert", CLASSIFIER, steps=12)
    before = {n: p.detach().clone() for n, p in case.model.named_parameters()}
    case.steps = 3
    case.train()
    moved = {n for n, p in case.model.named_parameters() if not p.equal(before[n])}
    assert moved
    assert not any(name.startswith(("bert.embeddings", "bert.encoder.layer.0")) for name in moved)


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("gradual", steps=6), tmp_path / "model")
