"""Files of verdicts in, judgements out: people's choices, and a judge's answers to our prompts.

Of one judge in two orders: the same winner twice is a choice, anything else a tie, and a pair of
which one answer holds no verdict is counted as unusable, never guessed at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from instructune.errors import UserError
from instructune.files import open_input
from instructune.jsonl import BadRow, Row, read_rows
from instructune.judges.judgewords import scores_of, verdict_of
from instructune.judges.judging import ROLES
from instructune.judges.rubrics import Criterion
from instructune.lineage import shortened

CHOICES = (*ROLES, "tie")
UNPARSEABLE, FAILED, CUT = "no verdict", "no answer from the judge", "one order is missing"
_HINT = 'rows are {"id", "sample", "rater", "choice"}, or answers to prompts of --judge ask'
_SHOWN = 100  # characters of an answer without a verdict


class Judgement(NamedTuple):
    """What a rater found of one pair (`choice`) or of one answer (`scores`).

    Both are None where the verdict is unusable. `rule` names what decided without the rater,
    `orders` are the choices with the system's answer first, then with the baseline's.
    """

    where: str
    id: str
    sample: int
    rater: str
    systems: tuple[str, ...]
    answers: str | None
    choice: str | None = None
    rule: str | None = None
    orders: tuple[str | None, str | None] | None = None
    role: str = ""
    scores: Mapping[str, float] | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What joins it to predictions."""
        return self.id, self.sample


@dataclass
class Verdicts:
    """What files of verdicts hold; `unusable` counts, by rater and reason, what tells nothing."""

    judgements: list[Judgement] = field(default_factory=list)
    unusable: dict[str, Counter[str]] = field(default_factory=dict)
    first: str | None = None
    wordings: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    criteria: dict[str, tuple[int, int]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)

    @property
    def raters(self) -> list[str]:
        """Everyone who judged."""
        return sorted({judgement.rater for judgement in self.judgements})

    def lose(self, rater: str, reason: str, where: str, shown: str = "") -> None:
        """Count a verdict that tells nothing."""
        self.unusable.setdefault(rater, Counter())[reason] += 1
        self.first = self.first or f"{where}: {reason}{shown}"

    def check(self) -> None:
        """Refuse verdicts that are all unusable: there is no score in them."""
        used = (j for j in self.judgements if j.rule is None)
        lost = sum(counts.total() for counts in self.unusable.values())
        if lost and all(j.choice is None and j.scores is None for j in used):
            hint = "try a larger judge, or more --max-new-tokens"
            raise UserError(f"none of {lost} verdicts is usable, first {self.first}", hint=hint)


def read_verdicts(names: Iterable[str]) -> Verdicts:
    """The verdicts of all files; a bad row, or one rater's second word on a pair, stops."""
    found, seen = Verdicts(), dict[tuple[Any, ...], str]()
    for name in names:
        for judgement in _of_file(name, found):
            key = (judgement.rater, judgement.systems, judgement.key, judgement.role)
            if before := seen.get(key):
                reason = f"id {judgement.id!r} is judged a second time by {judgement.rater!r}"
                raise UserError(f"{reason}, first at {before}", where=judgement.where)
            seen[key] = judgement.where
            found.judgements.append(judgement)
    kinds = {bool(judgement.role) for judgement in found.judgements}
    if len(kinds) > 1:
        hint = "give the files to one eval each"
        raise UserError("some verdicts compare answers and some score them", hint=hint)
    found.check()
    return found


def read_choices(name: str) -> list[Judgement]:
    """The judgements of a file of people's choices."""
    return _of_file(name, Verdicts())


def _of_file(name: str, found: Verdicts) -> list[Judgement]:
    """The judgements of one file, in its order."""
    whole: list[Judgement] = []
    halves: dict[tuple[Any, ...], dict[str, tuple[Row, str | None]]] = {}
    rows = 0
    with open_input(name) as source:
        for row in read_rows(source.stream, name):
            if row is None:
                continue
            rows += 1
            try:
                if isinstance(row, BadRow):
                    raise ValueError(row.reason)
                if "judged" in row.value:
                    whole += _answered(row, shortened(name), halves, found)
                else:
                    whole.append(_chosen(row))
            except ValueError as error:
                raise UserError(str(error), where=row.where, hint=_HINT) from None
        found.hashes[name] = source.sha256()
        source.check_unchanged()
    if not rows:
        hint = "a producer that failed leaves an empty pipe"
        raise UserError("no verdicts", where=name, hint=hint)
    return whole + [_both(key, orders, found) for key, orders in halves.items()]


def _chosen(row: Row) -> Judgement:
    """A person's choice, or that of any tool that writes such rows."""
    value = row.value
    held = _identified(value, row.where)
    if type(value.get("rater")) is not str or not value["rater"]:
        raise ValueError("has no rater")
    if value.get("choice") not in CHOICES:
        raise ValueError(f"choice must be {', '.join(CHOICES)}, got {value.get('choice')!r}")
    return held._replace(rater=value["rater"], choice=value["choice"], rule=value.get("rule"))


def _identified(value: Mapping[str, Any], where: str) -> Judgement:
    """What choices and prompts have in common, checked."""
    name, sample = value.get("id"), value.get("sample", 0)
    systems = value.get("systems", list(ROLES))
    if type(name) is not str or type(sample) is not int:
        raise ValueError("needs an id, a string, and a sample, a whole number")
    if type(systems) is not list or not all(type(s) is str for s in systems):
        raise ValueError(f"systems must be the names of the two compared, got {systems!r}")
    if not 1 <= len(set(systems)) == len(systems) <= 2:
        raise ValueError(f"systems must be two names, got {systems!r}")
    return Judgement(where, name, sample, "", tuple(systems), value.get("answers"))


def _answered(
    row: Row, rater: str, halves: dict[tuple[Any, ...], Any], found: Verdicts
) -> list[Judgement]:
    """A judgement that needs no second order; others wait for it in `halves`."""
    value, about = row.value, row.value["judged"]
    if type(about) is not dict:
        raise ValueError("judged must be an object, as --judge ask writes it")
    if "prediction" not in value:
        raise ValueError("is a prompt that nobody answered: generate FILE -m JUDGE")
    if drawn := value.get("sample", 0):
        rater = f"{rater} sample {drawn}"
    held = _identified(about, row.where)._replace(rater=rater, rule=about.get("rule"))
    if "criteria" in about:
        return [_scored(row, held, about, found)]
    if held.rule:
        if about.get("choice") not in CHOICES:
            raise ValueError(f"judged.choice must be {', '.join(CHOICES)}")
        return [held._replace(choice=about["choice"])]
    if about.get("first") not in ROLES:
        raise ValueError(f"judged.first must be {' or '.join(ROLES)}")
    _note(row, found)
    said = _said(row, rater, found)
    verdict = verdict_of(said) if said is not None else None
    if said is not None and verdict is None:
        found.lose(rater, UNPARSEABLE, row.where, f" in {said[-_SHOWN:]!r}")
    first, second = ROLES if about["first"] == "system" else ROLES[::-1]
    choice = {"first": first, "second": second, "tie": "tie"}[verdict] if verdict else None
    orders = halves.setdefault(held._replace(where="", rule=None)[:6], {})
    if about["first"] in orders:
        raise ValueError(f"id {held.id!r} is judged a second time with that order")
    orders[about["first"]] = row, choice
    return []


def _note(row: Row, found: Verdicts) -> None:
    found.wordings.add(str(row.value["judged"].get("wording")))
    found.models.add(str(row.value.get("model") or "unknown"))


def _said(row: Row, rater: str, found: Verdicts) -> str | None:
    said = row.value["prediction"]
    if type(said) is str and row.value.get("finish_reason") != "error":
        return said
    found.lose(rater, FAILED, row.where, f": {row.value.get('error', '')}")
    return None


def _both(key: tuple[Any, ...], orders: Mapping[str, Any], found: Verdicts) -> Judgement:
    """One choice of a judge's verdicts in both orders."""
    held = Judgement(*key)
    (row, one), (_, other) = (orders.get(role, (None, None)) for role in ROLES)
    if len(orders) < 2:
        row = next(iter(orders.values()))[0]
        found.lose(held.rater, CUT, row.where)
    usable = one is not None and other is not None
    choice = (one if one == other else "tie") if usable else None
    return held._replace(where=row.where, choice=choice, orders=(one, other))


def _scored(row: Row, held: Judgement, about: Mapping[str, Any], found: Verdicts) -> Judgement:
    """The scores of an answer, 0 to 1; the worst where there was nothing to judge."""
    role, scales = about.get("of"), about["criteria"]
    if role not in ROLES or (role == "baseline" and len(held.systems) < 2):
        raise ValueError(f"judged.of must be {' or '.join(ROLES)}")
    if type(scales) is not dict or not scales or not all(map(_is_scale, scales.values())):
        raise ValueError("judged.criteria must be an object of names and scales")
    ranges = {name: (low, high) for name, (low, high) in scales.items()}
    if found.criteria and found.criteria != ranges:
        raise ValueError("is judged by other criteria than the rows before")
    found.criteria = ranges
    if held.rule:
        return held._replace(role=role, scores=dict.fromkeys(ranges, 0.0))
    _note(row, found)
    criteria = [Criterion(name, {}, *bounds) for name, bounds in ranges.items()]
    said = _said(row, held.rater, found)
    scores = scores_of(said, criteria) if said is not None else None
    if said is not None and scores is None:
        found.lose(held.rater, UNPARSEABLE, row.where, f" in {said[-_SHOWN:]!r}")
    shares = {c.name: c.share(scores[c.name]) for c in criteria} if scores else None
    return held._replace(role=role, scores=shares)


def _is_scale(value: Any) -> bool:
    return type(value) is list and [type(v) for v in value] == [int, int] and value[0] < value[1]
