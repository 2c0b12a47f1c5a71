"""AdaLoRA: its size, its options, and that the ranks asked for are what is left."""

from __future__ import annotations

from pathlib import Path

import peft
import pytest
import torch

from tests.method_cases import (
    IDS,
    LAYERS,
    LINEAR,
    Case,
    check,
    differs,
    drops,
    layers,
    low_rank,
    wrong,
)

SPEC = "adalora:rank=4,target_rank=2,alpha=8"


def ranks(case: Case) -> list[int]:
    """How many singular values of each layer are not 0."""
    return [int((p != 0).sum()) for n, p in case.trained.items() if "lora_E" in n]


@pytest.mark.parametrize("rank", [2, 4])
def test_it_has_the_size_of_its_formula(rank: int) -> None:
    expected = low_rank(rank) + rank * len(LAYERS)
    assert Case(f"adalora:rank={rank},target_rank=1").count == expected


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case(SPEC, steps=8), tmp_path / "adapter", all_move=False)


@pytest.mark.parametrize(("steps", "target"), [(1, 3), (2, 1), (5, 1), (20, 3)])
def test_the_target_rank_is_reached(steps: int, target: int, tmp_path: Path) -> None:
    case = Case(f"adalora:rank=4,target_rank={target}", steps=steps).train()
    assert sum(ranks(case)) == target * len(LAYERS)
    case.save(tmp_path / "adapter")
    loaded = case.load(tmp_path / "adapter")
    kept = [p.shape[0] for n, p in loaded.named_parameters() if "lora_E" in n]
    assert sum(kept) == target * len(LAYERS)
    assert len(set(kept)) > 1  # some layers need more than others


def left(spec: str, at: int) -> int:
    """The ranks that are left after `at` of 20 steps."""
    case = Case(spec, steps=20)
    case.steps = at
    return sum(ranks(case.train()))


def test_warmup_and_final() -> None:
    whole, wanted = 4 * len(LAYERS), 2 * len(LAYERS)
    spec = "adalora:rank=4,target_rank=2,warmup=0.25,final=0.5"
    assert left(spec, 5) == whole
    assert wanted < left(spec, 7) < whole
    assert left(spec, 10) == wanted


def test_every() -> None:
    spec = "adalora:rank=4,target_rank=2,warmup=0,final=0.2,every=4"
    assert left(spec, 3) == 4 * len(LAYERS)
    assert left(spec, 4) < 4 * len(LAYERS)


def test_orthogonal() -> None:
    """The gradient that is added is that of the penalty in peft's own loss."""
    case = Case(SPEC)
    ours: dict[str, torch.Tensor] = {}
    for name, parameter in case.trained.items():
        torch.nn.init.normal_(parameter, std=0.1)
        ours[name] = parameter
    labels = IDS.clone()
    case.model.eval()
    plain = case.model.get_base_model()(input_ids=IDS, labels=labels).loss
    penalty = case.model(input_ids=IDS, labels=labels).loss - plain
    factors = [n for n in ours if "lora_E" not in n]
    expected = torch.autograd.grad(penalty, [ours[n] for n in factors])
    case.coach.gathered()
    for name, gradient in zip(factors, expected, strict=True):
        torch.testing.assert_close(ours[name].grad, gradient)
    assert differs(f"{SPEC},orthogonal=0", f"{SPEC},orthogonal=5")


def test_alpha_and_dropout() -> None:
    assert differs(SPEC, "adalora:rank=4,target_rank=2,alpha=16")
    assert drops(f"{SPEC},dropout=0.5")
    assert not drops(SPEC)


def test_target_modules() -> None:
    assert layers(f"{SPEC},target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers(SPEC) == LINEAR


def test_what_it_knows_survives_in_tensors() -> None:
    case = Case(SPEC, steps=20)
    case.steps = 9
    case.train()
    other = Case(SPEC, steps=20)
    other.coach.load(case.coach.tensors())
    for one, two in (
        (case.coach.allocator.exp_avg_ipt, other.coach.allocator.exp_avg_ipt),
        (case.coach.allocator.exp_avg_unc, other.coach.allocator.exp_avg_unc),
    ):
        assert one.keys() == two.keys() == set(case.coach.parameters)
        assert all(one[name].equal(two[name]) for name in one)
    assert case.coach.config.rank_pattern == other.coach.config.rank_pattern
    assert isinstance(other.model.peft_config["default"], peft.AdaLoraConfig)


def test_options_that_make_no_sense() -> None:
    wrong("adalora:target_rank=0", "method 'adalora': target_rank must be at least 1, got 0")
    wrong("adalora:every=0", "method 'adalora': every must be at least 1, got 0")
    wrong("adalora:rank=4,target_rank=4", "target_rank must be below rank, got 4 and 4")
    wrong("adalora:warmup=0.5,final=0.5", "warmup and final must leave steps between them")
    wrong("adalora:warmup=-0.1", "warmup must be from 0 to below 1, got -0.1")
    wrong("adalora:orthogonal=-1", "orthogonal must be 0 or more, got -1.0")
    wrong("adalora:dropout=1", "dropout must be from 0 to below 1")
