"""The settings that a sweep searches: ranges and choices, and the points that they span."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from instructune.adversaries import adversaries
from instructune.configs import BY_DEFAULT, TrainConfig
from instructune.errors import UserError, did_you_mean, usage
from instructune.methods import methods
from instructune.objectives import objectives
from instructune.optimizers import optimizers
from instructune.registry import Family, respelled
from instructune.schedules import schedules

Params = dict[str, Any]
FAMILIES: dict[str, Family] = {  # by the options of train that name a plug-in
    "adversarial": adversaries,
    "method": methods,
    "objective": objectives,
    "optimizer": optimizers,
    "schedule": schedules,
}
_DIGITS = 6  # of a drawn number: what is shown can be typed again


@dataclass(frozen=True)
class Parameter:
    """A setting and its values: `choices`, or from `low` to `high`, both included.

    `name` is an option of train, or `OPTION.KEY` for an option of the plug-in that it names.
    `points` is how many values of a range the grid has, evenly spaced, by ratio if `log`.
    """

    name: str
    choices: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False
    step: float | None = None
    points: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is a range of whole numbers."""
        return not self.choices and type(self.low) is int

    @property
    def head(self) -> str:
        """The option that the setting belongs to."""
        return self.name.partition(".")[0]

    @property
    def key(self) -> str:
        """The plug-in's own option, else nothing."""
        return self.name.partition(".")[2]

    def values(self) -> list[Any]:
        """All values in order; raises UserError for a range that has too many to be listed."""
        if self.choices:
            return list(self.choices)
        if self.points:
            return list(dict.fromkeys(self._evenly(self.points)))
        if self.step or self.is_whole:
            step = self.step or 1
            count = math.floor((self.high - self.low) / step + 1e-9) + 1
            return [self.tidy(self.low + place * step) for place in range(count)]
        raise usage(
            "a grid needs to know which values",
            where=f"search.{self.name}",
            hint="give the range points = N or a step, or list the values",
        )

    def _evenly(self, count: int) -> list[Any]:
        shares = [place / max(1, count - 1) for place in range(count)]
        if self.log:
            return [self.tidy(self.low * (self.high / self.low) ** share) for share in shares]
        return [self.tidy(self.low + (self.high - self.low) * share) for share in shares]

    def tidy(self, value: Any) -> Any:
        """A drawn value, short enough to be typed."""
        if self.choices:
            return value
        if self.is_whole:
            return round(value)
        return min(max(float(f"{value:.{_DIGITS}g}"), float(self.low)), float(self.high))

    def told(self) -> str:
        """The values in words."""
        if self.choices:
            return ", ".join(map(str, self.choices))
        more = [" log"] if self.log else []
        more += [f" step {self.step}"] if self.step else []
        more += [f", {self.points} points"] if self.points else []
        return f"{self.low} to {self.high}{''.join(more)}"


@dataclass(frozen=True)
class Space:
    """The parameters of a sweep over the settings of one training."""

    train: dict[str, Any]
    parameters: tuple[Parameter, ...]

    def active(self, parameter: Parameter, chosen: Mapping[str, Any]) -> bool:
        """Whether it means anything beside what was chosen before it: plug-ins differ."""
        return not parameter.key or parameter.key in _options(
            parameter, self._spec(chosen, parameter)
        )

    def _spec(self, chosen: Mapping[str, Any], parameter: Parameter) -> str:
        name = parameter.head
        given = {**self.train, **chosen}.get(name)
        return str(given or getattr(TrainConfig, name) or BY_DEFAULT.get(name, ""))

    def settings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The training's settings with these values in them."""
        found = self.train | {name: value for name, value in params.items() if "." not in name}
        for parameter in self.parameters:
            if parameter.key and parameter.name in params:
                spec = self._spec(found, parameter)
                found[parameter.head] = respelled(spec, {parameter.key: params[parameter.name]})
        return found

    def some_point(self) -> Params:
        """A point: first choices, and the upper ends of ranges."""
        found: Params = {}
        for parameter in self.parameters:
            if self.active(parameter, found):
                choices = parameter.choices
                found[parameter.name] = choices[0] if choices else parameter.high
        return found

    def points(self) -> Iterator[Params]:
        """Every point of the grid, the last parameter changing fastest."""
        yield from self._points(0, {})

    def _points(self, place: int, chosen: Params) -> Iterator[Params]:
        if place == len(self.parameters):
            yield dict(chosen)
            return
        parameter = self.parameters[place]
        if not self.active(parameter, chosen):
            yield from self._points(place + 1, chosen)
            return
        for value in parameter.values():
            yield from self._points(place + 1, chosen | {parameter.name: value})

    @property
    def size(self) -> int | None:
        """How many points there are; None where a range has no end of values."""
        counts = []
        for parameter in self.parameters:
            listed = parameter.choices or parameter.points or parameter.step or parameter.is_whole
            if not listed:
                return None
            counts.append(len(parameter.values()))
        if not any(parameter.key for parameter in self.parameters):
            return math.prod(counts)
        return sum(1 for _ in self.points()) if math.prod(counts) < 1_000_000 else math.prod(counts)

    def check(self, where: str) -> None:
        """Refuse values that train would not take, and options that no plug-in in question has."""
        for parameter in self.parameters:
            place = f"{where}: search.{parameter.name}"
            beside = [
                chosen for chosen in self._beside(parameter) if self.active(parameter, chosen)
            ]
            if not beside:
                raise self._unknown(parameter, place)
            for value in parameter.choices or (parameter.low, parameter.high):
                for chosen in beside:
                    self._check(chosen | {parameter.name: value}, parameter, place)

    def _beside(self, parameter: Parameter) -> list[Params]:
        """What the parameter may stand beside: each of the plug-ins whose option it may be."""
        heads = [p for p in self.parameters if p.name == parameter.head and parameter.key]
        return [{parameter.head: spec} for spec in heads[0].choices] if heads else [{}]

    def _unknown(self, parameter: Parameter, place: str) -> UserError:
        specs = [self._spec(chosen, parameter) for chosen in self._beside(parameter)]
        known = set().union(*(_options(parameter, spec) for spec in specs))
        names = ", ".join(spec.partition(":")[0] or "(not given)" for spec in specs)
        reason = f"{parameter.head} {names} has no option {parameter.key!r}"
        return usage(reason, where=place, hint=did_you_mean(parameter.key, known))

    def _check(self, chosen: Params, parameter: Parameter, place: str) -> None:
        try:
            config = TrainConfig(**self.settings(chosen))
            spec = getattr(config, parameter.head)
            if spec and parameter.head in FAMILIES:
                FAMILIES[parameter.head].configure(spec)
        except UserError as error:
            value = chosen[parameter.name]
            raise usage(f"{value!r} does not do: {error}", where=place) from None


def _options(parameter: Parameter, spec: str) -> set[str]:
    """The options of the plug-in that `spec` names, if it names one."""
    if not spec:
        return set()
    module = FAMILIES[parameter.head][spec.partition(":")[0]]
    kind = getattr(module, "Options", None)
    return {field.name for field in fields(kind)} if kind else set()
