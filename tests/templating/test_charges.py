"""charges: what a template builds counts, and what would build much is refused before it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from instructune.templating import charges
from instructune.templating.charges import MAX_TEXT, MEMORY, Overdrawn


@pytest.fixture(autouse=True)
def account() -> None:
    charges.open_account()


def spent() -> int:
    return MEMORY - charges._account.left


def test_values_are_handed_on_and_counted_as_often_as_they_occur() -> None:
    text = "a" * 1000
    assert charges.charge(text) is text
    once = spent()
    assert 1000 <= once <= 1100
    charges.charge({"k": [text, text, (text,)]})
    assert 4 * once <= spent() <= 4 * once + 1000
    before = spent()
    charges.charge(5)
    charges.charge(iter([text]))
    assert spent() == before


def test_a_container_that_doubles_is_refused_though_it_is_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(charges, "MEMORY", 1 << 20)
    charges.open_account()
    value: list[Any] = ["a"]
    for _ in range(40):
        value = [value, value]
    with pytest.raises(Overdrawn):
        charges.charge(value)


def test_the_account_is_of_the_run() -> None:
    charges.spend(MEMORY)
    with pytest.raises(Overdrawn):
        charges.spend(1)
    charges.open_account()
    charges.spend(MEMORY)


def test_output_ends_at_the_limit() -> None:
    block = "a" * (MAX_TEXT // 4)
    assert len(charges.concat([block] * 4)) == MAX_TEXT
    charges.open_account()
    written = []

    def pieces() -> Any:
        for _ in range(100):
            written.append(1)
            yield block

    with pytest.raises(Overdrawn):
        charges.concat(pieces())
    assert len(written) == 5


LONG = "a" * 2_000_000


@pytest.mark.parametrize(
    "call",
    [
        lambda: charges.replace(LONG, "a", "b" * 2000),
        lambda: charges.replace(LONG, "", "b" * 2000),
        lambda: charges.join(None, ["a"] * 2_000_000, "b" * 2000),
        lambda: charges.join(None, [LONG] * 2000),
        lambda: charges.indent("\n" * 2_000_000, 2000),
        lambda: charges.indent("\u2028" * 2_000_000, "b" * 2000),
        lambda: charges.trim(LONG, LONG),
        lambda: charges.short(LONG.rfind, LONG),
        lambda: charges.short(LONG.rsplit, sep=LONG),
        lambda: charges.tojson([1], indent=17),
        lambda: charges.tojson([1], indent="b" * 17),
        lambda: charges.tojson([1], separators=("b" * 17, ":")),
    ],
)
def test_what_would_build_or_compare_much_is_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(Overdrawn):
        call()


def test_the_filters_are_jinjas_otherwise() -> None:
    assert charges.replace("aXbX", "X", 1) == "a1b1"
    assert charges.replace("aXbX", "X", "", 1) == "abX"
    assert charges.join(None, [1, "b", None], "-") == "1-b-None"
    assert charges.join(None, iter("ab")) == "ab"
    assert charges.trim(" a ") == "a"
    assert charges.trim("xax", "x") == "a"
    assert charges.indent("a\nb\n\nc", 2) == "a\n  b\n\n  c"
    assert charges.indent("a\nb", "> ", True) == "> a\n> b"
    assert charges.tojson({"b": "é<"}, indent=1) == '{\n "b": "é<"\n}'
