"""Raw rows to records, each by the format that its keys tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

from instructune.errors import did_you_mean, usage
from instructune.formats import formats
from instructune.records import DESCRIPTIVE, FIELDS, Check, Record

_REMEMBERED = 10_000  # sets of keys, which hostile rows could make without end


class _Plan(NamedTuple):
    """How rows with the same keys are converted: by which format, and what it leaves.

    The check of a column that is left decides whether it stays; None stands for "always".
    """

    name: str
    takes: tuple[str, ...]
    convert: Callable[[dict[str, Any]], list[dict[str, Any]]]
    rest: tuple[tuple[str, Check | None], ...]


class Converter:
    """Converts rows; counts in `notes` the columns that keep their data under `fields`."""

    def __init__(self, format: str | None, columns: Mapping[str, str]) -> None:
        self.fixed, self.columns = format, columns
        self.notes: Counter[str] = Counter()
        self._mapped = frozenset(columns.values())
        self._plans: dict[tuple[str, ...], _Plan] = {}
        modules = [formats[name] for name in ([format] if format else formats.names())]
        known = set(FIELDS).union(*(module.TAKES for module in modules))
        for name in columns.values():
            if name not in known:
                raise usage(
                    f"no field is called {name!r}", where="--field", hint=did_you_mean(name, known)
                )

    def __call__(self, row: dict[str, Any]) -> tuple[str, list[Record]]:
        """The name of the format and the row's records; ValueError says why there are none."""
        displaced: dict[str, Any] = {}
        if self.columns:
            row, displaced = self._renamed(row)
        keys = tuple(row)
        plan = self._plans.get(keys) or self._plan(keys)
        try:
            produced = plan.convert(row)
        except KeyError as error:
            if error.args[0] not in plan.takes:
                raise
            raise ValueError(
                f"{plan.name} row has no field {error.args[0]!r}: name the column with "
                f"--field {error.args[0]}=COLUMN, or choose another --format"
            ) from None
        if plan.name == "record":
            return plan.name, [self._unchanged(made, displaced) for made in produced]
        if len(produced) > 1 and type(own := row.get("id")) in (str, int):
            produced = [{"id": f"{own}-{n}"} | made for n, made in enumerate(produced, 1)]
        return plan.name, [self._filled(made, row, plan.rest, displaced) for made in produced]

    def _renamed(self, row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The row with its columns renamed, and the columns whose names were taken by others."""
        renamed, displaced = {}, {}
        for column, name in self.columns.items():
            if column not in row:
                raise ValueError(f"has no column {column!r}, named in --field {name}={column}")
        for key, value in row.items():
            if key in self.columns:
                renamed[self.columns[key]] = value
            elif key in self._mapped:
                displaced[key] = value
            else:
                renamed[key] = value
        return renamed, displaced

    def _plan(self, keys: tuple[str, ...]) -> _Plan:
        if len(self._plans) >= _REMEMBERED:
            self._plans.clear()
        name = self.fixed or _recognised(frozenset(keys))
        module = formats[name]
        all_taken = getattr(module, "TAKES_ALL", False)
        left = [key for key in keys if not all_taken and key not in (*module.TAKES, "id")]
        rest = tuple((key, self._check_of(key)) for key in left)
        self._plans[keys] = plan = _Plan(name, module.TAKES, self._convert_of(module), rest)
        return plan

    def _convert_of(self, module: ModuleType) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
        """The format's function; some have things to tell about rows that they convert."""
        if module.convert.__code__.co_argcount == 1:
            return module.convert
        return partial(module.convert, notes=self.notes)

    def _check_of(self, column: str) -> Check | None:
        if column not in FIELDS or column in self._mapped:
            return None
        return FIELDS[column].check if column in DESCRIPTIVE else _reserved

    def _filled(
        self,
        made: dict[str, Any],
        row: Mapping[str, Any],
        rest: tuple[tuple[str, Check | None], ...],
        displaced: Mapping[str, Any],
    ) -> Record:
        """`made` with an id first and the columns that its format left.

        Unknown columns go along; reserved names that nobody mapped go under `fields`.
        """
        own = row.get("id")
        record = Record({"id": "" if own is None else str(own) if type(own) is int else own})
        record.update(made)
        aside = dict(displaced)
        for key, check in rest:
            value = row[key]
            if key == "fields" and key in made and type(value) is dict:
                record[key] = made[key] | value
            elif check is None or not check(value):
                record[key] = value
            else:
                aside[key] = value
        if aside:
            self._set_aside(record, aside)
        return record

    def _unchanged(self, made: dict[str, Any], displaced: Mapping[str, Any]) -> Record:
        record = Record(made)
        if type(record.get("id")) is int:
            record["id"] = str(record["id"])
        if displaced:
            self._set_aside(record, displaced)
        return record

    def _set_aside(self, record: Record, aside: Mapping[str, Any]) -> None:
        own = record.get("fields", {})
        if both := own.keys() & aside.keys():
            raise ValueError(f"has both {min(both)!r} and fields.{min(both)}")
        record["fields"] = own | aside
        for key in aside:
            self.notes[f"column {key!r} kept as fields.{key}"] += 1


def _reserved(value: Any) -> str:
    return "bears a reserved name"


def _recognised(keys: frozenset[str]) -> str:
    """The one format that has these keys."""
    found = [name for name in formats.names() if formats[name].recognises(keys)]
    if "record" in found:
        return "record"
    if len(found) == 1:
        return found[0]
    if {"role", "content"} <= keys and not found:
        raise ValueError(
            "a turn of a chat, not a row: --container json:whole=messages takes an array of them "
            "as one chat"
        )
    shown = ", ".join(sorted(keys)[:12]) + (" …" if len(keys) > 12 else "")
    if found:
        raise ValueError(f"could be {' or '.join(found)}: say which with --format (keys: {shown})")
    raise ValueError(
        f"no known format has these keys ({shown}): name one with --format "
        f"({', '.join(formats.names())}) and its columns with --field name=column"
    )
