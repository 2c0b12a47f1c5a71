"""How many rows of each source or label stay: shares of a mix, and labels of equal size."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from instructune.errors import UserError, did_you_mean, usage
from instructune.reading.spool import Spool
from instructune.reading.steps import Reason
from instructune.records import Record


def weights(pairs: Sequence[str], sources: Sequence[str]) -> dict[str, float]:
    """`--mix SOURCE=WEIGHT` as shares that add up to 1; every source needs one."""
    found: dict[str, float] = {}
    for pair in pairs:
        name, separator, value = pair.rpartition("=")
        try:
            weight = float(value)
        except ValueError:
            separator = ""
        if not separator:
            raise usage(f"expected SOURCE=WEIGHT, got {pair!r}", where="--mix")
        if name not in sources:
            near = get_close_matches(name, sources, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "name it among the sources, too"
            raise usage(f"{name!r} is none of the sources", where="--mix", hint=hint)
        found[name] = weight
        if not 0 <= found[name] < math.inf:
            raise usage(f"{value!r} is no weight", where="--mix")
    if missing := [name for name in sources if name not in found]:
        raise usage(f"{missing[0]!r} has no weight", where="--mix", hint="0 leaves a source out")
    total = sum(found.values())
    if not total:
        raise usage("all weights are 0", where="--mix")
    return {name: weight / total for name, weight in found.items()}


def mixed(
    sizes: Mapping[int, int],
    sources: Mapping[int, str],
    shares: Mapping[str, float],
    total: int | None,
    order: Mapping[int, str],
    seed: int,
) -> dict[int, Reason]:
    """Reasons for the rows that are over their source's share.

    `sizes` holds each row's units (1, or its words). Without a total the mix is as large as it
    can be before a source runs out; with a larger one than that it is an error, for rows are
    never repeated. Which rows stay follows from the seed and their ids, given in `order`.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for number in sizes:
        members[sources[number]].append(number)
    held = {name: sum(sizes[number] for number in members[name]) for name in shares}
    possible = min(held[name] / share for name, share in shares.items() if share)
    wanted = math.floor(possible + 1e-9) if total is None else total
    quotas = _quotas(shares, wanted)
    for name, quota in quotas.items():
        if quota > held[name]:
            raise UserError(
                f"runs out: the mix wants {quota} of it, it has {held[name]}",
                where=name,
                hint=f"--mix-total {math.floor(possible + 1e-9)} is the most, or weigh it less",
            )
    found: dict[int, Reason] = {}
    for name, numbers in members.items():
        left = quotas.get(name, 0)
        for number in _shuffled(numbers, order, seed):
            if left <= 0:
                found[number] = Reason("over its source's share of the mix", mix_source=name)
            left -= sizes[number]
    return found


def told(
    sizes: Mapping[int, int],
    sources: Mapping[int, str],
    gone: Container[int],
    shares: Mapping[str, float],
) -> list[dict[str, Any]]:
    """What each source gives to the mix, of what it has: rows, and their units as in `mixed`."""
    found: dict[str, dict[str, Any]] = {
        name: {"source": name, "rows": 0, "of_rows": 0, "size": 0, "of_size": 0} for name in shares
    }
    for number, size in sizes.items():
        facts = found[sources[number]]
        facts["of_rows"] += 1
        facts["of_size"] += size
        if number not in gone:
            facts["rows"] += 1
            facts["size"] += size
    whole = sum(facts["size"] for facts in found.values())
    return [facts | {"share": facts["size"] / whole if whole else 0.0} for facts in found.values()]


def _quotas(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole units that add up to `total`, by largest remainders."""
    exact = {name: share * total for name, share in shares.items()}
    found = {name: math.floor(value + 1e-9) for name, value in exact.items()}
    for name in sorted(shares, key=lambda name: found[name] - exact[name]):
        if sum(found.values()) < total:
            found[name] += 1
    return found


def balanced(
    rows: Spool, numbers: Iterable[int], field: str, most: int | None, seed: int
) -> dict[int, Reason]:
    """Reasons for the rows over `most` of their value of `field`, or over the rarest value's."""
    members: dict[str, list[int]] = defaultdict(list)
    order: dict[int, str] = {}
    for number in numbers:
        record = rows[number]
        members[_value(record, field)].append(number)
        order[number] = record["id"]
    limit = min(map(len, members.values()), default=0) if most is None else most
    return {
        number: Reason(f"over the size that {field} values are balanced to")
        for of_value in members.values()
        for number in _shuffled(of_value, order, seed)[limit:]
    }


def _value(record: Record, field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str):
        raise UserError(
            f"{field} is {'missing' if value is None else 'not a text'}, so it cannot be balanced",
            where=record.where,
            hint=did_you_mean(field, record) if value is None else None,
        )
    return value


def _shuffled(numbers: Sequence[int], order: Mapping[int, str], seed: int) -> list[int]:
    def key(number: int) -> bytes:
        return hashlib.blake2b(f"{seed} {order[number]}".encode(), digest_size=8).digest()

    return sorted(numbers, key=key)
