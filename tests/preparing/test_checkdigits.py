"""checkdigits: published numbers hold, and each changed digit is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.preparing.checkdigits import card, cn_id, iban, luhn


def test_luhn_of_the_standard():
    assert luhn("79927398713")
    assert [luhn(f"7992739871{d}") for d in range(10)].count(True) == 1


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "5555555555554444", "378282246310005", "30569309025904"]
    + ["6011111111111117", "3530111333300000", "6200000000000005", "2223003122003222"],
)
def test_cards(number):
    assert card(number)
    assert not card(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_a_range_has_its_lengths():
    assert luhn("490154203237518")  # a telephone's IMEI
    assert not card("490154203237518")
    assert luhn("8000000000000003")
    assert not card("8000000000000003")


def test_identity_numbers():
    assert cn_id("11010519491231002X")
    assert cn_id("11010519491231002x")
    assert not cn_id("110105194912310021")
    assert not cn_id("990105194912310020")
    assert not cn_id("110105194902310020")  # a 31st of February


@pytest.mark.parametrize("text", ["DE89370400440532013000", "NO9386011117947"])
def test_ibans(text):
    assert iban(text)
    assert not iban(text + "0")
    assert not iban("XX" + text[2:])


@given(st.integers(4, 21), st.integers(1, 9))
def test_a_changed_digit_of_an_iban_is_noticed(place, step):
    good = "DE89370400440532013000"
    wrong = str((int(good[place]) + step) % 10)
    assert not iban(good[:place] + wrong + good[place + 1 :])
