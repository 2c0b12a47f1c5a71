"""What a training begins with: which model, by which method, and whether its adapter goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from instructune.configs import BY_DEFAULT, TrainConfig
from instructune.errors import usage
from instructune.fetching.modelconfigs import read_document
from instructune.fetching.modelfiles import ModelFiles, resolve
from instructune.methods import methods
from instructune.objectives import objectives
from instructune.rundir import open_run


@dataclass(frozen=True)
class Start:
    """A model's files, and how it is trained."""

    model: ModelFiles
    """with an adapter only where that one is trained further"""
    base: str
    """the model under what is trained, as `--model` takes it"""
    objective: str
    """the objective, and the method, as they were asked for or as the run says"""
    spec: str
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
    for family, spec in ((methods, config.method), (objectives, config.objective)):
        if spec:  # a wrong one is told before anything is fetched
            family.configure(spec)
    model = resolve(config.init_from or config.model, note)
    before = _before(config, model) if config.init_from else {}
    objective = config.objective or before.get("objective") or BY_DEFAULT["objective"]
    spec = config.method or before.get("method") or BY_DEFAULT["method"]
    name, method, options = methods.configure(spec)
    if method.ADAPTER and config.save_dtype not in (None, "float32"):
        raise usage("adapters are saved in float32", where="--save-dtype")
    if not (config.init_from and model.base and method.ADAPTER):
        virtual = getattr(options, "virtual_tokens", 0)
        files = model.as_base()
        return Start(files, model.name, objective, spec, name, method, options, virtual)
    if spec != before["method"]:
        raise usage(
            f"its adapter is trained further as it is ({before['method']}), not by {spec}",
            where="--method",
            hint=f"leave --method out; or put a new adapter on top of it: --model {model.name}",
        )
    virtual = read_document(model.folders[0] / "adapter_config.json").get("num_virtual_tokens")
    parts = model.base.name, objective, spec, name, method, options
    return Start(model, *parts, virtual or 0)


def _before(config: TrainConfig, model: ModelFiles) -> dict[str, str]:
    """By what the model was trained; a plain folder of an adapter does not say it."""
    if model.run is not None:
        document = open_run(model.run)[1]
        found = {key: document.get(key) for key in BY_DEFAULT}
        return {key: value for key, value in found.items() if isinstance(value, str)}
    if model.base is None:
        return {}
    if config.method is None:
        raise usage(
            "does not say which method its adapter is of",
            where=f"--init-from {config.init_from}",
            hint="name it, such as --method lora",
        )
    return {"method": config.method.partition(":")[0]}
