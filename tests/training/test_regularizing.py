"""What is added to the loss while training: exact, plain in evaluation, cut and resumed alike."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError
from instructune.stopping import Stopped
from instructune.training.fitting import Fit
from tests.tuning import chats, result_of, stop_after, train_run, work_of, write_rows

WORDS = ("red", "green", "blue")
DATA: dict[str, list[dict[str, Any]]] = {
    "sft": chats(8),
    "classify": [
        {"id": str(i), "text": f"say {WORDS[i % 3]}" + "!" * i, "label": WORDS[i % 3]}
        for i in range(8)
    ],
    "tag": [
        {
            "id": str(i),
            "tokens": ["in", *["x"] * (i % 3), "Rome"],
            "tags": [*"O" * (1 + i % 3), "B-P"],
        }
        for i in range(8)
    ],
}
MODELS = {"sft": "tiny-llama", "classify": "tiny-bert", "tag": "tiny-bert"}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def fitted(folder: Path, objective: str, **settings: Any) -> tuple[Fit, Any]:
    kind = objective.partition(":")[0]
    rows = settings.pop("rows", DATA[kind])
    data = write_rows(folder / "data.jsonl", rows)
    given = {"dtype": "float32", "threads": 1, "model": MODELS[kind], "objective": objective}
    config = TrainConfig(data=(data,), output=str(folder / "run"), **(given | settings))
    work = work_of(config)
    return Fit(config, work), work


def a_batch(work: Any, rows: list[int] | None = None) -> Any:
    return work.data.batch(rows or list(range(len(work.data))), work.pad_id, 1)


@pytest.mark.parametrize("objective", DATA)
def test_smoothing_in_training_alone(tmp_path: Path, objective: str) -> None:
    fit, work = fitted(tmp_path, objective, label_smoothing=0.2)
    batch = a_batch(work)
    scores = work.objective.scores(fit.model, batch)
    keep = batch.weights > 0
    each = {"target": batch.targets[keep], "reduction": "none"}
    smooth = functional.cross_entropy(scores, label_smoothing=0.2, **each) @ batch.weights[keep]
    plain = functional.cross_entropy(scores, **each) @ batch.weights[keep]
    fit.model.train()
    assert fit.loss(batch).item() == pytest.approx(smooth.item(), rel=1e-6)
    fit.model.eval()
    assert fit.loss(batch).item() == pytest.approx(plain.item(), rel=1e-6)
    assert plain.item() != pytest.approx(smooth.item(), rel=1e-5)


@pytest.mark.parametrize("objective", DATA)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_r_drop_by_its_formula(tmp_path: Path, objective: str, smoothing: float) -> None:
    settings = {"dropout": 0.2, "r_drop": 3.0, "label_smoothing": smoothing}
    fit, work = fitted(tmp_path, objective, **settings)
    batch = a_batch(work)
    keep = batch.weights > 0
    targets, weights = batch.targets[keep], batch.weights[keep]
    fit.model.train()
    torch.manual_seed(5)
    found = fit.loss(batch)
    torch.manual_seed(5)
    one, other = (work.objective.scores(fit.model, batch) for _ in range(2))
    assert not torch.equal(one, other)
    p, q = one.log_softmax(-1), other.log_softmax(-1)
    ways = [
        functional.kl_div(a, b, reduction="none", log_target=True).sum(-1) @ weights
        for a, b in ((p, q), (q, p))
    ]
    entropies = [
        functional.cross_entropy(s, targets, reduction="none", label_smoothing=smoothing) @ weights
        for s in (one, other)
    ]
    wanted = (entropies[0] + entropies[1]) / 2 + 3.0 * (ways[0] + ways[1]) / 2
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)
    fit.model.eval()
    plain = functional.cross_entropy(
        work.objective.scores(fit.model, batch), targets, reduction="none"
    )
    assert fit.loss(batch).item() == pytest.approx((plain @ weights).item(), rel=1e-5)


SEVERAL = [{"id": str(i), "text": "t" * (i + 1), "label": ["a", "b"][: i % 3]} for i in range(4)]


@pytest.mark.parametrize(
    ("objective", "rows"),
    [("classify", SEVERAL), ("classify:loss=focal", DATA["classify"])],
    ids=["several labels", "focal loss"],
)
@pytest.mark.parametrize("setting", ["label_smoothing", "r_drop"])
def test_refused_without_a_plain_cross_entropy(
    tmp_path: Path, objective: str, rows: list[Any], setting: str
) -> None:
    with pytest.raises(UserError, match="whose loss is a plain cross-entropy") as raised:
        fitted(tmp_path, objective, rows=rows, **{setting: 0.5, "dropout": 0.1})
    assert raised.value.code == Exit.USAGE
    assert raised.value.where == "--" + setting.replace("_", "-")


def test_r_drop_needs_dropout(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no dropout that is on") as raised:
        fitted(tmp_path, "tag", r_drop=1.0)
    assert raised.value.code == Exit.USAGE
    assert raised.value.hint == "set it, such as --dropout 0.1"
    fitted(tmp_path, "tag", r_drop=1.0, method="lora:dropout=0.1,target_modules=query")


ATTACKS = ["fgm:epsilon=0.5", "pgd:epsilon=0.5,alpha=0.2,steps=3"]


@pytest.mark.parametrize("objective", DATA)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_makes_the_loss_worse(tmp_path: Path, objective: str, attack: str) -> None:
    fit, work = fitted(tmp_path, objective, adversarial=attack)
    batch = a_batch(work)
    seen: list[float] = []
    plain = work.objective.loss

    def told(model: Any, smoothing: float = 0.0) -> Any:
        own = plain(model)

        def loss(batch: Any) -> torch.Tensor:
            found = own(batch)
            seen.append(found.item())
            return found

        return loss

    from instructune.training import regularizing

    work.objective.loss = told
    config = TrainConfig(adversarial=attack)
    fit.model.train()
    regularizing.training_loss(config, work.objective, fit.model, {})(batch)
    assert seen == sorted(seen)
    assert len(seen) == (2 if attack.startswith("fgm") else 4)
    assert seen[-1] > seen[0] + 1e-4


def gradients(fit: Fit, batches: list[Any]) -> dict[str, torch.Tensor]:
    fit.model.zero_grad()
    fit.model.train()
    for batch in batches:
        fit.loss(batch).backward()
    named = fit.model.named_parameters()
    return {n: p.grad.clone() for n, p in named if p.grad is not None}


@pytest.mark.parametrize("objective", DATA)
@pytest.mark.parametrize(
    "settings",
    [{"label_smoothing": 0.2}, *({"adversarial": attack} for attack in ATTACKS)],
    ids=str,
)
def test_how_rows_are_cut_makes_no_difference(
    tmp_path: Path, objective: str, settings: dict[str, Any]
) -> None:
    fit, work = fitted(tmp_path, objective, **settings)
    whole = gradients(fit, [a_batch(work)])
    one_by_one = gradients(fit, [a_batch(work, [row]) for row in range(len(work.data))])
    assert whole.keys() == one_by_one.keys()
    for name, gradient in whole.items():
        torch.testing.assert_close(one_by_one[name], gradient, rtol=1e-5, atol=1e-5, msg=name)


def test_noise_moves_the_gradients_in_training_alone(tmp_path: Path) -> None:
    fit, work = fitted(tmp_path, "tag", neftune=5.0)
    bare, _ = fitted(tmp_path, "tag")
    batch = a_batch(work)
    fit.model.train()
    assert fit.loss(batch).item() != bare.loss(batch).item()
    fit.model.eval()
    assert fit.loss(batch).item() == bare.loss(batch).item()


TOGETHER: dict[str, dict[str, Any]] = {
    "sft": {"ema": 0.8, "neftune": 5.0, "label_smoothing": 0.1, "optimizer": "lion"},
    "classify": {"swa": 0.4, "adversarial": "fgm", "optimizer": "adafactor", "layer_decay": 0.7},
    "tag": {
        "ema": 0.5,
        "r_drop": 1.0,
        "neftune": 2.0,
        "adversarial": "pgd:steps=2",
        "optimizer": "sgd",
        "schedule": "wsd:decay=0.5",
    },
}


QUICK = [("sft", "bfloat16"), ("classify", "float32"), ("tag", "bfloat16")]


@pytest.mark.parametrize(
    ("objective", "dtype"),
    [
        pytest.param(*case, marks=[] if case in QUICK else [pytest.mark.slow], id="-".join(case))
        for case in itertools.product(DATA, ("float32", "bfloat16"))
    ],
)
def test_a_run_that_was_stopped_equals_a_straight_one(
    tmp_path: Path, objective: str, dtype: str
) -> None:
    write_rows(tmp_path / "data.jsonl", DATA[objective])
    given: dict[str, Any] = {"objective": objective, "model": MODELS[objective], "dtype": dtype}
    given |= {"eval_data": str(tmp_path / "data.jsonl"), "eval_every": 2, "micro_batch_tokens": 64}
    given |= {"steps": 6, "dropout": 0.1, "weight_decay": 0.1} | TOGETHER[objective]
    straight = train_run(tmp_path, output=str(tmp_path / "straight"), **given)
    with pytest.raises(Stopped):
        train_run(tmp_path, stop_after(5), **given)
    report = train_run(tmp_path, **given)
    assert report["steps_this_time"] == 1
    assert report["eval_loss_best"] == straight["eval_loss_best"]
    assert result_of(tmp_path / "run") == result_of(tmp_path / "straight")


@pytest.mark.parametrize(
    "settings",
    [{"ema": 0.5}, {"swa": 0.5}, {"layer_decay": 0.5}, {"adversarial": "fgm"}],
    ids=str,
)
def test_runs_with_other_micro_batches_agree(tmp_path: Path, settings: dict[str, Any]) -> None:
    write_rows(tmp_path / "data.jsonl", DATA["classify"])
    given: dict[str, Any] = {"objective": "classify", "model": "tiny-bert", "optimizer": "sgd"}
    given |= {"eval_data": str(tmp_path / "data.jsonl"), "steps": 4, "eval_every": 2}
    losses = []
    for tokens in (1, 4096):
        output = str(tmp_path / str(tokens))
        report = train_run(tmp_path, output=output, micro_batch_tokens=tokens, **given, **settings)
        losses.append([report[key] for key in ("loss_first", "loss_last", "eval_loss_best")])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
