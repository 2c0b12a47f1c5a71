"""What the tests of methods share: tiny models that are trained for some steps, saved, reloaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from instructune.architectures import Head
from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import resolve
from instructune.libraries import quiet
from instructune.methods import methods
from instructune.models import load_model, save_model
from instructune.training.coaching import Coach
from instructune.training.saving import save_adapter

STEPS = 3
LINEAR = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
IDS = torch.tensor([[7, 3, 90, 41, 5, 200], [11, 250, 6, 1, 256, 256]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
# seven layers of each of two blocks: (out, in)
LAYERS = [(64, 64), (32, 64), (32, 64), (64, 64), (176, 64), (176, 64), (64, 176)] * 2


class Case:
    """A preset with a method on it."""

    def __init__(
        self,
        spec: str,
        preset: str = "tiny-llama",
        head: Head | None = None,
        dtype: torch.dtype = torch.float32,
        steps: int = STEPS,
    ) -> None:
        torch.set_num_threads(1)
        self.files, self.head, self.dtype, self.steps = resolve(preset), head, dtype, steps
        self.name, self.method, self.options = methods.configure(spec)
        torch.manual_seed(3)
        with quiet():
            self.model = self.method.apply(self.fresh(), self.options)
            during = getattr(self.method, "during", None)
            self.coach = during(self.model, self.options, steps) if during else Coach()

    def fresh(self) -> Any:
        """The preset as it is."""
        return load_model(self.files, dtype=self.dtype, head=self.head)

    @cached_property
    def base(self) -> Any:
        """The model without the method."""
        return self.fresh()

    @property
    def trained(self) -> dict[str, torch.nn.Parameter]:
        """What asks for gradients, by name."""
        return {n: p for n, p in self.model.named_parameters() if p.requires_grad}

    @property
    def count(self) -> int:
        """How many numbers are trained."""
        return sum(p.numel() for p in self.trained.values())

    def logits(self, model: Any = None, **given: Any) -> torch.Tensor:
        """What a model gives for two texts of different lengths, of their own tokens."""
        model = self.model if model is None else model
        if getattr(model.config, "is_encoder_decoder", False):
            given["decoder_input_ids"] = IDS
        was_training = model.training
        model.eval()
        with torch.no_grad():
            found = model(input_ids=IDS, attention_mask=MASK, **given).logits.float()
        model.train(was_training)
        if found.ndim == 3:
            found = found[:, -IDS.shape[1] :][MASK.bool()]
        return found

    def train(self, rate: float = 1e-2) -> Case:
        """Some steps towards random targets, the coach called as the loop calls it."""
        optimizer = torch.optim.AdamW(self.trained.values(), lr=rate, weight_decay=0.0)
        self.coach.begin(0)
        self.model.train()
        given = {"decoder_input_ids": IDS} if self.model.config.is_encoder_decoder else {}
        for step in range(1, self.steps + 1):
            found = self.model(input_ids=IDS, attention_mask=MASK, **given).logits.float()
            targets = (torch.arange(found[..., 0].numel()) * 7) % found.shape[-1]
            torch.nn.functional.cross_entropy(found.flatten(0, -2), targets).backward()
            self.coach.gathered()
            optimizer.step()
            self.coach.updated(step)
            optimizer.zero_grad()
        self.model.eval()
        return self

    def save(self, folder: Path) -> Path:
        """As `train` saves it."""
        folder.mkdir(exist_ok=True)
        if self.method.ADAPTER:
            base = str(self.files.folder)
            save_adapter(self.model, self.coach, self.model.state_dict(), folder, base)
        else:
            save_model(self.model, folder, torch.float32)
        return folder

    def load(self, folder: Path, **how: Any) -> Any:
        """As `generate` loads it."""
        how = {"dtype": self.dtype, "head": self.head} | how
        if self.method.ADAPTER:
            return load_model(replace(self.files, adapter=folder), **how)
        return load_model(replace(self.files, folder=folder, random=False), **how)

    def plain(self, folder: Path) -> Any:
        """As plain peft loads it on the original model."""
        import peft

        with quiet():
            return peft.PeftModel.from_pretrained(self.fresh(), folder).eval()

    def merged(self, folder: Path) -> Any:
        """The adapter worked into the model."""
        files = replace(self.files, adapter=folder, head=self.head or self.files.head).as_base()
        return load_model(files, dtype=self.dtype, head=self.head)


def check(case: Case, folder: Path, *, plain: bool = True, all_move: bool = True) -> Case:
    """It learns, comes back from disk as it was, and can be merged if it says so.

    `plain`: peft alone loads it on the original model. `all_move`: no parameter is as before.
    """
    before = {n: p.detach().clone() for n, p in case.trained.items()}
    first = case.logits()
    case.train()
    after = case.logits()
    now = dict(case.model.named_parameters())
    still = sorted(name for name, tensor in before.items() if now[name].equal(tensor))
    assert len(still) < len(before)
    assert not (still and all_move), still[:3]
    assert (after - first).abs().max() > 1e-3
    case.save(folder)
    assert_near(case.logits(case.load(folder)), after, 1e-6)
    if case.method.ADAPTER and plain:
        assert_near(case.logits(case.plain(folder)), after, 1e-6)
    assert case.method.MERGES <= case.method.ADAPTER
    if case.method.MERGES:
        assert_near(case.logits(case.merged(folder)), after, 1e-5)
    return case


def assert_near(one: torch.Tensor, other: torch.Tensor, most: float) -> None:
    """No number differs by more than that, or that part of the largest number."""
    assert one.shape == other.shape
    assert float((one - other).abs().max()) <= most * max(1.0, float(other.abs().max()))


@contextmanager
def refused(code: Exit, told: str) -> Iterator[None]:
    """A UserError with this code that says so."""
    with pytest.raises(UserError) as raised:
        yield
    assert told in str(raised.value)
    assert raised.value.code == code


def wrong(spec: str, told: str) -> None:
    """These options are a usage error that names the method and the option."""
    with refused(Exit.USAGE, told):
        methods.configure(spec)


def narrow(spec: str) -> str:
    """The same on one layer of each block, where a method takes the names of layers: faster."""
    name, _, options = methods.configure(spec)
    if not hasattr(options, "target_modules") or options.target_modules or name == "layernorm":
        return spec
    return f"{spec}{',' if ':' in spec else ':'}target_modules=down_proj"


def differs(one: str, other: str) -> bool:
    """Whether two sets of options lead to different models."""
    left, right = (Case(narrow(spec)).train().logits() for spec in (one, other))
    return not torch.allclose(left, right, atol=1e-5)


def drops(spec: str) -> bool:
    """Whether two passes in training mode differ; those in evaluation mode never do."""
    case = Case(narrow(spec)).train()
    assert case.logits().equal(case.logits())
    case.model.train()
    with torch.no_grad():
        one, other = (case.model(input_ids=IDS, attention_mask=MASK).logits for _ in range(2))
    return not one.equal(other)


def layers(spec: str, **how: Any) -> set[str]:
    """The last names of the modules that a method put something trainable into."""
    names = Case(spec, **how).trained
    marks = ("lora_", "hada_", "lokr_", "oft_", "vera_", "ia3_", "ln_tuning", "bottleneck")
    return {
        next(before for before, part in pairwise(name.split(".")) if part.startswith(marks))
        for name in names
    }


def low_rank(rank: int) -> int:
    """Numbers in factors of that rank beside all layers of a tiny Llama."""
    return sum(rank * (rows + columns) for rows, columns in LAYERS)
