"""What a training begins with: which model, by which method, and whether its adapter goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from instructune.configs import TrainConfig
from instructune.errors import usage
from instructune.fetching.modelconfigs import read_document
from instructune.fetching.modelfiles import ModelFiles, resolve
from instructune.methods import methods
from instructune.rundir import open_run


@dataclass(frozen=True)
class Start:
    """A model's files, and how it is trained."""

    model: ModelFiles
    """with an adapter only where that one is trained further"""
    base: str
    """the model under what is trained, as `--model` takes it"""
    spec: str
    """the method as it was asked for"""
    name: str
    method: ModuleType
    options: Any
    virtual_tokens: int
    """what is taken of the length that is left for text"""

    @property
    def goes_on(self) -> bool:
        """Whether an adapter that is there already is trained further."""
        return self.model.adapter is not None

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of the model under what is trained, and of the adapter that is trained further."""
        base, found = self.model.base, self.model.fingerprint
        return {"model": base.fingerprint, "init_from": found} if base else {"model": found}


def start_of(config: TrainConfig, note: Callable[[str], None]) -> Start:
    """Find the model of `--model` or `--init-from`, and check that the method suits it."""
    methods.configure(config.method or "full")  # a wrong one is told before anything is fetched
    model = resolve(config.init_from or config.model, note)
    before = _method_before(config, model)
    spec = config.method or before or "full"
    name, method, options = methods.configure(spec)
    if method.ADAPTER and config.save_dtype not in (None, "float32"):
        raise usage("adapters are saved in float32", where="--save-dtype")
    if not (config.init_from and model.base and method.ADAPTER):
        virtual = getattr(options, "virtual_tokens", 0)
        return Start(model.as_base(), model.name, spec, name, method, options, virtual)
    if spec != before:
        raise usage(
            f"its adapter is trained further as it is ({before}), not by {spec}",
            where="--method",
            hint=f"leave --method out; or put a new adapter on top of it: --model {model.name}",
        )
    virtual = read_document(model.folders[0] / "adapter_config.json").get("num_virtual_tokens")
    return Start(model, model.base.name, spec, name, method, options, virtual or 0)


def _method_before(config: TrainConfig, model: ModelFiles) -> str | None:
    """How what `--init-from` names was trained; an adapter's plain folder does not say it."""
    if not config.init_from:
        return None
    if model.run is not None:
        found = open_run(model.run)[1].get("method")
        return found if isinstance(found, str) else None
    if model.base is None:
        return None
    if config.method is None:
        raise usage(
            "does not say which method its adapter is of",
            where=f"--init-from {config.init_from}",
            hint="name it, such as --method lora",
        )
    return config.method.partition(":")[0]
