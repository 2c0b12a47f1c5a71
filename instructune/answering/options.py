"""Which options of `generate` a model has a use for, told before it is loaded."""

from __future__ import annotations

from types import ModuleType

from instructune.answering.roles import Role
from instructune.architectures import IN_WORDS
from instructune.configs import GenerateConfig
from instructune.errors import UserError, usage


def check_options(config: GenerateConfig, role: Role, objective: ModuleType, name: str) -> None:
    """Raises UserError (2) where an option is set that the model called `name` cannot heed."""
    if not hasattr(objective, "Answers"):  # it writes text
        return
    of_text = {
        "--temperature": bool(config.temperature),
        "--stop": bool(config.stop),
        "--logprobs": config.logprobs,
        "--score-references": config.score_references,
        "--label-scores": bool(config.label_scores),
    }
    for flag, is_given in of_text.items():
        if is_given:
            error = _other(flag, "for models that write text", role, name)
            if flag == "--label-scores" and role.head.kind == "sequence":
                error.hint = "leave it out: a classifier tells the scores of its labels anyway"
            raise error
    if config.explain and not hasattr(objective.Answers, "target"):
        raise _other("--explain", "for texts, labels, tags and numbers", role, name)


def _other(flag: str, what: str, role: Role, name: str) -> UserError:
    return usage(f"is {what}: {name} is {IN_WORDS[role.head.kind]}", where=flag)
