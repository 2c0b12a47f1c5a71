"""bounds: what is let through, and how an option is named that is not."""

from __future__ import annotations

import math

import pytest

from instructune.bounds import between, check_bad_rows, choice, flag_of, least
from instructune.errors import Exit, UserError


def test_what_is_let_through():
    choice("--x", "a", ("a", "b"))
    least("--x", None, 1)
    least("--x", 1, 1)
    least("--x", 1.5, 1, exclusive=True)
    between("--x", None, 0, 1)
    between("--x", 0, 0, 1)
    check_bad_rows("fail", None)
    check_bad_rows("quarantine", "bad.jsonl")


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (lambda: choice("--x", "bb", ("aa", "b")), "--x: unknown value 'bb'"),
        (lambda: least("--x", 0, 1), "--x: must be at least 1, got 0"),
        (lambda: least("--x", 1, 1, exclusive=True), "--x: must be above 1, got 1"),
        (lambda: least("--x", math.nan, 1), "--x: must be at least 1, got nan"),
        (lambda: least("--x", 1 << 63, 1), "--x: must be at most 9223372036854775807"),
        (lambda: between("--x", 2, 0, 1), "--x: must be from 0 to 1, got 2"),
        (lambda: between("--x", math.nan, 0, 1), "--x: must be from 0 to 1, got nan"),
        (lambda: check_bad_rows("fail", "f"), "--bad-rows quarantine and --rejects FILE go"),
        (lambda: check_bad_rows("quarantine", None), "--bad-rows quarantine and --rejects FILE"),
    ],
)
def test_what_is_not(check, reason):
    with pytest.raises(UserError, match=reason) as raised:
        check()
    assert raised.value.code == Exit.USAGE


def test_options_as_they_are_typed():
    assert flag_of("max_new_tokens") == "--max-new-tokens"
