"""steps: transforms then filters, each in the order given, and what they did told apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from instructune.errors import UserError
from instructune.filters import filters
from instructune.reading.steps import Change, Steps
from instructune.records import Record
from instructune.transforms import transforms


@dataclass(frozen=True)
class Options:
    text: str = "x"


class Append:
    def __init__(self, options: Options) -> None:
        self.options = options

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        if not self.options.text:
            return [record]
        changes[f"{self.options.text} appended"] += 1
        return [Record(record | {"text": record["text"] + self.options.text})]


class Twice:
    def __init__(self, options: None) -> None: ...

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        return [record, Record(record | {"text": record["text"] + "2"})]


class Empty:
    def __init__(self, options: None) -> None: ...

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        return [Record(record | {"text": " "})]


class EndsIn:
    def __init__(self, options: Options) -> None:
        self.options = options

    def __call__(self, record: Record) -> str | None:
        return (
            f"ends in {self.options.text}" if record["text"].endswith(self.options.text) else None
        )


@pytest.fixture(autouse=True)
def fakes(monkeypatch):
    made = {"append": Append, "twice": Twice, "empty": Empty}
    for family, names, kind in (
        (transforms, made, "Transform"),
        (filters, {"ends": EndsIn}, "Filter"),
    ):
        monkeypatch.setattr(family, "_names", [*family._names, *names])
        for name, call in names.items():
            module = SimpleNamespace(**{kind: call})
            if call in (Append, EndsIn):
                module.Options = Options
            monkeypatch.setitem(family._modules, name, module)


def record() -> Record:
    return Record({"id": "1", "text": "a"})


def answered(work, ask):
    """What the generator comes to, its questions answered by `ask`."""
    answer = None
    while True:
        try:
            answer = ask(*work.send(answer))
        except StopIteration as end:
            return end.value


def run(steps: Steps) -> tuple[list[str], list[str | None], Counter[str]]:
    changes: Counter[str] = Counter()
    worked: Counter[str] = Counter()
    made = steps.transformed(record(), changes, worked)
    assert worked.total() <= changes.total()
    drops = answered(steps.drops(dict(enumerate(made)), range(len(made))), pytest.fail)
    reasons = [drops.get(number, ("", None))[1] for number in range(len(made))]
    return [one["text"] for one in made], reasons, changes


def test_nothing_to_do():
    assert not Steps()
    assert run(Steps()) == (["a"], [None], Counter())


def test_each_in_its_turn():
    steps = Steps(["append:text=b", "twice", "append:text=c"], ["ends:text=2c", "ends:text=c"])
    assert steps
    texts, reasons, changes = run(steps)
    assert texts == ["abc", "ab2c"]
    assert reasons == ["ends in c", "ends in 2c"]
    assert changes == {"b appended": 1, "c appended": 2}


def test_a_record_that_a_transform_broke_is_dropped():
    assert run(Steps(["empty"]))[1] == ["text is empty after the transforms"]


def test_filters_that_remember_are_asked_about_what_is_left_in_their_turn(monkeypatch):
    class Remembers:
        def __init__(self, options: Options) -> None: ...

        def key(self, record: Record) -> str:
            return record["text"]

        def answer(self, keys: list[str]) -> list[str | None]:
            raise AssertionError("the memory answers for it")

    monkeypatch.setattr(filters, "_names", [*filters._names, "remembers"])
    module = SimpleNamespace(Filter=Remembers, Options=Options)
    monkeypatch.setitem(filters._modules, "remembers", module)
    steps = Steps([], ["remembers", "ends:text=b", "remembers:text=y"])
    asked = []

    def ask(number: int, keys: list[str]) -> list[str | None]:
        asked.append((number, keys))
        return [f"{number} says so" if key == "ab"[number - 1] else None for key in keys]

    records = {n: Record({"id": str(n), "text": text}) for n, text in enumerate(["a", "b", "c"])}
    assert answered(steps.drops(records, []), ask) == {
        0: ("remembers", "1 says so"),
        1: ("ends:text=b", "ends in b"),
    }
    assert asked == [(1, ["a", "b", "c"]), (2, ["c"])]
    assert len(steps.remembering()) == 2


def test_an_explanation_names_each_step_that_did_something():
    given = record()
    steps = Steps(["append", "append:text=", "twice"])
    assert list(steps.explained(given)) == [
        Change("append", {"id": "1", "text": "a"}, [{"id": "1", "text": "ax"}]),
        Change(
            "twice",
            {"id": "1", "text": "ax"},
            [{"id": "1", "text": "ax"}, {"id": "1", "text": "ax2"}],
        ),
    ]
    assert given == record()


@pytest.mark.parametrize(
    ("transform", "filter", "message"),
    [
        (["appent"], [], "unknown transform 'appent'"),
        ([], ["lenth"], "unknown filter 'lenth'"),
        ([], ["length:max=3"], "has no option 'max'"),
    ],
)
def test_what_is_not_there(transform, filter, message):
    with pytest.raises(UserError, match=message):
        Steps(transform, filter)
