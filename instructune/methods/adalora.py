"""Updates in the form of singular values, the least useful of which are taken away on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.errors import usage
from instructune.methods._layers import targets
from instructune.methods._options import LowRank, at_least, shares
from instructune.methods._peft import wrapped
from instructune.training.coaching import Coach

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Zhang et al. 2023, arXiv 2303.10512"


@dataclass(frozen=True)
class Options(LowRank):
    """`rank` to begin with, and the mean `target_rank` that is left in the end.

    Ranks are taken away every `every` steps, after a share `warmup` of the steps and until a
    share `final` of them is left. `orthogonal` weighs the penalty on factors that are not.
    """

    METHOD = "adalora"

    rank: int = 12
    target_rank: int = 8
    warmup: float = 0.1
    final: float = 0.3
    every: int = 1
    orthogonal: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("adalora", 1, target_rank=self.target_rank, every=self.every)
        shares("adalora", warmup=self.warmup, final=self.final)
        if self.target_rank >= self.rank:
            least = f"got {self.target_rank} and {self.rank}"
            raise usage(f"method 'adalora': target_rank must be below rank, {least}")
        if self.warmup + self.final >= 1:
            raise usage("method 'adalora': warmup and final must leave steps between them")
        if self.orthogonal < 0:
            raise usage(f"method 'adalora': orthogonal must be 0 or more, got {self.orthogonal}")


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add an update `B diag(e) A` to all linear layers but the head."""
    from peft import AdaLoraConfig

    return wrapped(
        model,
        "adalora",
        AdaLoraConfig,
        target_modules=targets(model, options.target_modules, "adalora"),
        init_r=options.rank,
        target_r=options.target_rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        deltaT=options.every,
        orth_reg_weight=options.orthogonal,
        total_step=1,  # until the number of steps is known
    )


def during(model: PeftModel, options: Options, steps: int) -> Allocation:
    """Take ranks away after each update, and draw the factors towards being orthogonal."""
    return Allocation(model, options, steps)


class Allocation(Coach):
    """Calls peft's allocator, and keeps what it knows in checkpoints."""

    def __init__(self, model: Any, options: Options, steps: int) -> None:
        self.config: Any = model.peft_config["default"]
        self.tuner: Any = model.base_model
        self.allocator = self.tuner.rankallocator
        self.config.total_step = steps
        self.config.tinit = int(options.warmup * steps)
        self.config.tfinal = int(options.final * steps)
        named = list(self.tuner.model.named_parameters())
        self.parameters = {n: p for n, p in named if "lora_" in n and n.endswith(".default")}
        self.parameters = {n: p for n, p in self.parameters.items() if "ranknum" not in n}

    def gathered(self) -> None:
        """Add the gradient of peft's penalty: the mean distance of A A' and B' B from 1."""
        import torch

        if not self.config.orth_reg_weight:
            return
        factors = [p.T if "lora_B" in n else p for n, p in self.parameters.items()]
        factors = [p for p in factors if p.shape[1] > 1]  # but not the singular values
        distances = [torch.linalg.norm(p @ p.T - torch.eye(len(p)).to(p)) for p in factors]
        penalty = torch.stack(distances).mean() * self.config.orth_reg_weight
        penalty.backward()

    def updated(self, step: int) -> None:
        """Note how much each singular value matters, and set the least of them to 0."""
        import torch

        for parameter in self.parameters.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        last = self.config.total_step - self.config.tfinal
        if step == last and not self.allocator.ipt:  # peft has looked at no gradient before
            self.allocator.update_ipt(self.tuner.model)
        self.tuner.update_and_allocate(step)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The averages that importance is told by, and which ranks are left."""
        import torch

        found = {f"sensitivity.{n}": t for n, t in self.allocator.exp_avg_ipt.items()}
        found |= {f"uncertainty.{n}": t for n, t in self.allocator.exp_avg_unc.items()}
        pattern = self.config.rank_pattern or {}
        return found | {f"kept.{n}": torch.tensor(k).byte() for n, k in pattern.items()}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take back what `tensors` gave."""
        import torch

        def of(kind: str) -> dict[str, torch.Tensor]:
            named = ((n.partition("."), t) for n, t in tensors.items())
            return {parts[2]: t.clone() for parts, t in named if parts[0] == kind}

        self.allocator.exp_avg_ipt = of("sensitivity")
        self.allocator.exp_avg_unc = of("uncertainty")
        averages = self.allocator.exp_avg_ipt
        self.allocator.ipt = {n: torch.zeros_like(t) for n, t in averages.items()}
        kept = {n: t.bool().tolist() for n, t in of("kept").items()}
        self.config.rank_pattern = kept or None
