"""The parts of a model, by their names: layers that can be adapted, heads, blocks, embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from instructune.architectures import kind_of
from instructune.errors import Exit, UserError, did_you_mean, usage
from instructune.training.stacks import stacks

if TYPE_CHECKING:
    from torch.nn import Module
    from transformers import PreTrainedModel

_POOLER = "pooler"


def heads(model: PreTrainedModel) -> list[str]:
    """Names of the modules on top of a classifier, its pooler among them; none of other models."""
    if kind_of(type(model).__name__) not in ("sequence", "token"):
        return []
    parts = [(name, m) for name, m in model.named_children() if m is not model.base_model]
    below = f"{model.base_model_prefix}.{_POOLER}"
    parts += [(name, m) for name, m in model.named_modules() if name == below]
    return [name for name, module in parts if any(True for _ in module.parameters())]


def linear_layers(model: PreTrainedModel) -> list[str]:
    """Names of all linear layers, but for the output layer and the head with its pooler."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    top = model.get_output_embeddings()
    above = [f"{name}." for name in heads(model)]
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, Linear | Conv1D)
        and module is not top
        and not any(f"{name}.".startswith(head) for head in above)
        and _POOLER not in name.split(".")
    ]


def targets(model: PreTrainedModel, wanted: tuple[str, ...], method: str) -> list[str]:
    """The layers to adapt: those whose names end so, each of which must be there, else all linear.

    peft asks for one fitting name, this for all to fit.
    """
    from torch.nn import Embedding, Linear
    from transformers.pytorch_utils import Conv1D

    if not wanted:
        return linear_layers(model)
    layers = [n for n, m in model.named_modules() if isinstance(m, Linear | Embedding | Conv1D)]
    check_ends(layers, wanted, method)
    return list(wanted)


def plain_targets(model: PreTrainedModel, wanted: tuple[str, ...], method: str) -> list[str]:
    """`targets`, for methods that take torch's linear layers alone; raises UserError (78)."""
    from transformers.pytorch_utils import Conv1D

    found = targets(model, wanted, method)
    for name, module in model.named_modules():
        if isinstance(module, Conv1D) and any(f".{name}".endswith(f".{end}") for end in found):
            raise unfit(method, model, f"{name} is a Conv1D, not a Linear")
    return found


def unfit(method: str, model: PreTrainedModel, reason: str) -> UserError:
    """The error that a method cannot be used on such a model."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return UserError(
        f"method {method!r} does not fit {model.config.model_type} models: {lines[0]}",
        code=Exit.MISMATCH,
    )


def check_ends(names: list[str], wanted: tuple[str, ...], method: str) -> None:
    """Raise a usage error where no name ends with one of those wanted."""
    for end in wanted:
        if not any(f".{name}".endswith(f".{end}") for name in names):
            known = {name.rpartition(".")[2] for name in names}
            hint = did_you_mean(end, known)
            raise usage(f"method {method!r}: no layer is named {end!r}", hint=hint)


class Groups(NamedTuple):
    """All parameters by name: those below the blocks, those of each level of blocks, the rest.

    A matrix that is both embedding and output layer is an embedding. An encoder's pooler, which
    its vectors are not made by, goes with the top blocks.
    """

    embeddings: list[str]
    layers: list[list[str]]
    head: list[str]


def groups(model: PreTrainedModel) -> Groups:
    """The parameters in groups; `layers` from the bottom up, stacks counted from their tops."""
    found_in = stacks(model)
    depth = max(map(len, found_in.values()), default=0)
    found = Groups([], [[] for _ in range(depth)], [])
    tables = _embeddings(model)
    bare = depth and kind_of(type(model).__name__) == "encoder"
    for name, _ in model.named_parameters():
        place = next(((n, s) for n, s in found_in.items() if name.startswith(f"{n}.")), None)
        if place:
            stack, modules = place
            level = int(name.removeprefix(f"{stack}.").partition(".")[0])
            found.layers[level - len(modules) + depth].append(name)
        elif any(name.startswith(f"{table}.") for table in tables):
            found.embeddings.append(name)
        elif bare and _POOLER in name.split("."):
            found.layers[-1].append(name)
        else:
            found.head.append(name)
    return found


def _embeddings(model: PreTrainedModel) -> list[str]:
    """Names of the tables, and of what stands around them such as BERT's norm."""
    from torch.nn import Embedding

    def is_one(name: str, module: Module) -> bool:
        last = name.rpartition(".")[2]
        return isinstance(module, Embedding) or last.startswith("embed")

    return [name for name, module in model.named_modules() if is_one(name, module)]
