"""AdamW on float32 masters, step by step against torch's own; schedules by hand."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from instructune.errors import Exit, UserError
from instructune.training import checkpoints
from instructune.training.optimizers import Optimizer, count, learning_rate


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def model_of(dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4)).to(dtype)


def give_gradients(model: torch.nn.Module, seed: int) -> None:
    """Through backward, as training does: a linear loss has the gradient it is given."""
    generator = torch.Generator().manual_seed(seed)
    total = sum(
        (p.float() * torch.randn(p.shape, generator=generator)).sum() for p in model.parameters()
    )
    total.backward()


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        # 2 steps of warm-up, then 4 steps from the peak down; the rate after the last would be 0
        ("linear", [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]),
        ("cosine", [0.5, 1.0, 1.0, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]),
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_schedules(schedule: str, expected: list[float]) -> None:
    found = [learning_rate(step, 6, 0.02, 2, schedule) for step in range(6)]
    assert found == pytest.approx([0.02 * share for share in expected], rel=1e-12)


def test_schedules_without_warm_up_start_at_the_peak() -> None:
    for schedule in ("linear", "cosine", "constant"):
        assert learning_rate(0, 5, 3e-4, 0, schedule) == 3e-4
    assert learning_rate(0, 1, 3e-4, 1, "cosine") == 3e-4
    # steps after the planned end, which only a bug could ask for, never go below 0
    assert learning_rate(9, 5, 3e-4, 0, "linear") == 0.0
    assert learning_rate(9, 5, 3e-4, 0, "cosine") == 0.0


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_equals_torch_step_by_step(decay: float) -> None:
    ours = model_of()
    theirs = copy.deepcopy(ours)
    optimizer = Optimizer(ours, weight_decay=decay)
    matrices = [p for p in theirs.parameters() if p.ndim > 1]
    vectors = [p for p in theirs.parameters() if p.ndim == 1]
    adamw = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    )
    for step in range(6):
        rate = learning_rate(step, 6, 0.01, 2, "cosine")
        for model in (ours, theirs):
            give_gradients(model, step)
        norm = optimizer.clip(1.0)
        expected = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        assert norm == pytest.approx(expected.item(), rel=1e-6)
        optimizer.step(rate)
        optimizer.forget()
        for group in adamw.param_groups:
            group["lr"] = rate
        adamw.step()
        adamw.zero_grad()
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)
        assert all(p.grad is None for p in ours.parameters())


def test_the_first_update_by_hand() -> None:
    weight = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        weight.weight.fill_(2.0)
    optimizer = Optimizer(weight, weight_decay=0.5)
    weight.weight.grad = torch.tensor([[0.25]])
    optimizer.step(0.1)
    optimizer.forget()
    # decay 2 (1 - 0.1 * 0.5), then a first step of Adam: the rate against the gradient's sign
    assert weight.weight.item() == pytest.approx(1.9 - 0.1 * 0.25 / (0.25 + 1e-8), rel=1e-6)


@pytest.mark.parametrize("name", ["adamw", "adafactor", "lion", "adamw8bit", "sgd:momentum=0"])
def test_weight_decay_of_every_optimizer(name: str) -> None:
    if name == "adamw8bit":
        pytest.importorskip("bitsandbytes")
    model = model_of()
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = Optimizer(model, weight_decay=0.5, optimizer=name)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step(0.1)
    for parameter, old in zip(model.parameters(), before, strict=True):
        wanted = old * 0.95 if parameter.ndim > 1 else old
        torch.testing.assert_close(parameter.detach(), wanted, rtol=1e-6, atol=1e-7)


def test_all_options_are_told() -> None:
    found = Optimizer(model_of(), weight_decay=0.0, optimizer="adamw:beta2=0.95").spelled
    assert found == "adamw:beta1=0.9,beta2=0.95,eps=1e-08"


@pytest.mark.parametrize(
    "model",
    [
        LlamaForCausalLM(
            LlamaConfig(
                vocab_size=50,
                hidden_size=8,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=12,
                attention_bias=True,
                tie_word_embeddings=False,
            )
        ),
        GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=2, n_positions=16)),
    ],
    ids=["llama", "gpt2"],
)
def test_decay_spares_biases_norms_and_embeddings(model: Any) -> None:
    optimizer = Optimizer(model, weight_decay=0.1)
    names = {id(p): n for n, p in model.named_parameters()}
    decays = {
        names[id(p)]: group["weight_decay"]
        for group in optimizer.rule.param_groups
        for p in group["params"]
    }
    assert decays.keys() == set(names.values())
    spared = {name for name, decay in decays.items() if not decay}
    # GPT-2's output layer is its input embedding
    words = ("bias", "norm", "ln_", "embed", "wte", "wpe")
    assert spared == {name for name in decays if any(word in name for word in words)}
    assert any("proj" in name for name in decays.keys() - spared)
    assert ("lm_head.weight" in decays) == isinstance(model, LlamaForCausalLM)


def test_only_trainable_parameters_are_touched() -> None:
    model = model_of()
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    optimizer = Optimizer(model, weight_decay=0.5)
    assert optimizer.names == ["0.bias", "1.weight", "1.bias"]
    give_gradients(model, 0)
    optimizer.step(0.1)
    optimizer.forget()
    assert torch.equal(model[0].weight, before)
    assert count(model.parameters()) == (12, 24)


def test_small_updates_add_up_in_bfloat16() -> None:
    linear = torch.nn.Linear(1, 1, bias=False).to(torch.bfloat16)
    with torch.no_grad():
        linear.weight.fill_(1.0)
    optimizer = Optimizer(linear, weight_decay=0.0)
    # between 1 and 2 bfloat16 numbers are 2^-7 apart: 100 steps of 1e-4 make 0.01
    for _ in range(100):
        linear(torch.ones(1, 1, dtype=torch.bfloat16)).sum().backward()
        optimizer.step(1e-4)
        optimizer.forget()
    (master,) = optimizer.masters
    assert master.dtype == torch.float32
    assert master.item() == pytest.approx(1 - 0.01, abs=1e-5)
    assert linear.weight.dtype == torch.bfloat16
    assert linear.weight.item() == master.to(torch.bfloat16).item() != 1.0


def test_gradients_of_micro_batches_add_up_in_float32() -> None:
    linear = torch.nn.Linear(1, 1, bias=False).to(torch.bfloat16)
    optimizer = Optimizer(linear, weight_decay=0.0)
    for value in [256.0] + [1.0] * 8:  # in bfloat16, 256 + 1 is 256
        linear(torch.full((1, 1), value, dtype=torch.bfloat16)).sum().backward()
    (master,) = optimizer.masters
    assert master.grad is not None
    assert master.grad.item() == 264.0
    assert linear.weight.grad is None
    assert optimizer.clip(1e9) == 264.0
    optimizer.step(1e-3)
    optimizer.forget()
    assert master.grad is None


def test_clipping() -> None:
    linear = torch.nn.Linear(2, 1, bias=False)
    optimizer = Optimizer(linear, weight_decay=0.0)
    linear.weight.grad = torch.tensor([[3.0, 4.0]])
    assert optimizer.clip(10.0) == 5.0
    assert linear.weight.grad.tolist() == [[3.0, 4.0]]
    assert optimizer.clip(1.0) == 5.0
    assert linear.weight.grad.flatten().tolist() == pytest.approx([0.6, 0.8], rel=1e-5)


MEMORIES = {
    "adamw": {"step", "exp_avg", "exp_avg_sq"},
    "sgd": {"momentum_buffer"},
    "sgd:momentum=0": set(),
    "adafactor": {"step", "row_var", "col_var", "variance"},
    "lion": {"exp_avg"},
    "adamw8bit": {"step", "state1", "state2"},
    "adamw8bit:min_size=1": {"step", "state1", "state2", "qmap1", "qmap2", "absmax1", "absmax2"},
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", MEMORIES)
def test_its_state_goes_out_and_in(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    if name.startswith("adamw8bit"):
        pytest.importorskip("bitsandbytes")
    settings: dict[str, Any] = {"weight_decay": 0.1, "optimizer": name}
    straight, stopped = model_of(dtype), model_of(dtype)
    one, other = Optimizer(straight, **settings), Optimizer(stopped, **settings)
    for step in range(3):
        for model, optimizer in ((straight, one), (stopped, other)):
            give_gradients(model, step)
            optimizer.step(0.01)
            optimizer.forget()
    path = checkpoints.save(tmp_path, 3, other.tensors(), {})
    tensors, _ = checkpoints.load(path)
    assert {key.partition(".")[0] for key in tensors} == {"master"} | MEMORIES[name]
    again = model_of(dtype)
    resumed = Optimizer(again, **settings)
    resumed.load(tensors | {"average.0.weight": torch.ones(4, 3), "rng.cpu": torch.zeros(1)})
    for step in range(3, 6):
        for model, optimizer in ((straight, one), (again, resumed)):
            give_gradients(model, step)
            optimizer.step(0.01)
            optimizer.forget()
    assert one.tensors().keys() == resumed.tensors().keys()
    for key, tensor in one.tensors().items():
        assert torch.equal(tensor, resumed.tensors()[key]), key
    for a, b in zip(straight.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("master.0.weight"),
        lambda tensors: tensors.update({"master.9.weight": torch.zeros(1)}),
        lambda tensors: tensors.update({"master.0.weight": torch.zeros(1)}),
    ],
    ids=["missing", "left over", "of another shape"],
)
def test_a_state_of_another_model_is_refused(change: Any) -> None:
    model = model_of()
    optimizer = Optimizer(model, weight_decay=0.0)
    before = [p.clone() for p in model.parameters()]
    tensors = optimizer.tensors()
    change(tensors)
    with pytest.raises(UserError, match=r"another model: master\.") as raised:
        optimizer.load(tensors)
    assert raised.value.code == Exit.MISMATCH
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_model_is_promoted_from_its_masters() -> None:
    model = model_of(torch.bfloat16)
    optimizer = Optimizer(model, weight_decay=0.0)
    with torch.no_grad():
        for master in optimizer.masters:
            master.add_(1e-4)  # less than bfloat16 can tell
    exact = [master.clone() for master in optimizer.masters]
    optimizer.promote(model, torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(exact, model.parameters(), strict=True))
    half = model_of(torch.bfloat16)
    optimizer = Optimizer(half, weight_decay=0.0)
    optimizer.promote(half, torch.float16)
    assert {p.dtype for p in half.parameters()} == {torch.float16}
