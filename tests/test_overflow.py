"""overflow: what becomes of a sequence that is too long, token for token, and that all count."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import Exit, UserError
from instructune.overflow import Overflow
from instructune.tokens import Encoding, TokenRow
from tests.template_families import LLAMA_3, VICUNA, ZEPHYR, Family, build, chat, shown


def row(weights: str, where: str = "f:1") -> TokenRow:
    """Ids 0, 1, 2 …; `weights` has x for a learned token and - for context."""
    return TokenRow(list(range(len(weights))), [float(w == "x") for w in weights], "r", where)


def told(rows: list[TokenRow]) -> list[tuple[list[int], str]]:
    return [(r.ids, "".join("-x"[w > 0] for w in r.weights)) for r in rows]


# two turns: 0 is bos, 1-2 prompt, 3-4 answer, 5-6 prompt, 7-9 answer
TWO_TURNS = "---xx--xxx"
ANSWER = 7


@pytest.mark.parametrize("choice", ["error", "drop", "truncate-prompt", "truncate-answer", "split"])
@pytest.mark.parametrize("limit", [None, 10, 99])
def test_what_fits_is_left_alone(choice: str, limit: int | None) -> None:
    overflow = Overflow(choice, limit)
    assert overflow.fit(row(TWO_TURNS), ANSWER, 1) == [row(TWO_TURNS)]
    assert not overflow.counts
    overflow.check()


@pytest.mark.parametrize(
    ("choice", "limit", "lead", "kept", "counts"),
    [
        ("drop", 9, 1, [], {"longer than --max-length, dropped": 1}),
        # the first token stays, the last answer is whole, an answer that lost its start is context
        ("truncate-prompt", 9, 1, [([0, 2, 3, 4, 5, 6, 7, 8, 9], "--xx--xxx")], {"truncated": 1}),
        (
            "truncate-prompt",
            8,
            1,
            [([0, 3, 4, 5, 6, 7, 8, 9], "-----xxx")],
            {"truncated": 1, "earlier answers cut, no longer learned": 1},
        ),
        (
            "truncate-prompt",
            7,
            1,
            [([0, 4, 5, 6, 7, 8, 9], "----xxx")],
            {"truncated": 1, "earlier answers cut, no longer learned": 1},
        ),
        ("truncate-prompt", 6, 1, [([0, 5, 6, 7, 8, 9], "---xxx")], {"truncated": 1}),
        ("truncate-prompt", 4, 1, [([0, 7, 8, 9], "-xxx")], {"truncated": 1}),
        ("truncate-prompt", 3, 1, [], {"answer alone longer than --max-length, dropped": 1}),
        ("truncate-prompt", 8, 0, [([2, 3, 4, 5, 6, 7, 8, 9], "-xx--xxx")], {"truncated": 1}),
        ("truncate-prompt", 4, 0, [([6, 7, 8, 9], "-xxx")], {"truncated": 1}),
        # without a token before it the answer's first token could not be learned
        ("truncate-prompt", 3, 0, [], {"answer alone longer than --max-length, dropped": 1}),
        # the end is cut: no stop is made up
        ("truncate-answer", 9, 1, [([0, 1, 2, 3, 4, 5, 6, 7, 8], "---xx--xx")], {"truncated": 1}),
        ("truncate-answer", 5, 1, [([0, 1, 2, 3, 4], "---xx")], {"truncated": 1}),
        ("truncate-answer", 3, 1, [], {"nothing left to learn after truncation, dropped": 1}),
        # pieces overlap by a token, so that every learned token is learned, once
        (
            "split",
            4,
            1,
            [([0, 1, 2, 3], "---x"), ([3, 4, 5, 6], "-x--"), ([6, 7, 8, 9], "-xxx")],
            {"pieces of split rows, added": 2},
        ),
        (
            "split",
            3,
            1,
            [([2, 3, 4], "-xx"), ([6, 7, 8], "-xx"), ([8, 9], "-x")],
            {
                "pieces of split rows, added": 4,
                "pieces without a token to learn, dropped": 2,
            },
        ),
        (
            "split",
            9,
            1,
            [([0, 1, 2, 3, 4, 5, 6, 7, 8], "---xx--xx"), ([8, 9], "-x")],
            {"pieces of split rows, added": 1},
        ),
    ],
)
def test_choices(
    choice: str,
    limit: int,
    lead: int,
    kept: list[tuple[list[int], str]],
    counts: dict[str, int],
) -> None:
    overflow = Overflow(choice, limit)
    assert told(overflow.fit(row(TWO_TURNS), ANSWER, lead)) == kept
    assert {cause: n for cause, n in overflow.counts.items() if n} == counts | {
        "longer than --max-length": 1
    }
    assert overflow.dropped == ([] if kept else ["f:1"])
    overflow.check()


def test_an_error_names_the_rows_once_all_were_seen() -> None:
    overflow = Overflow("error", 4)
    for i, size in enumerate([5, 4, 9, 6], start=1):
        kept = overflow.fit(row("-" + "x" * (size - 1), f"f:{i}"), 1, 1)
        assert len(kept) == (size == 4)
    overflow.fit(row("-xxxxxx", "f:4"), 1, 1)  # another sequence of the same row
    assert overflow.counts == {"longer than --max-length": 4}
    with pytest.raises(UserError) as failure:
        overflow.check()
    assert failure.value.code == Exit.BAD_DATA
    assert str(failure.value) == (
        "3 rows are longer than --max-length 4: f:1 (5 tokens), f:3 (9 tokens), f:4 (7 tokens)\n"
        "  hint: raise --max-length, or choose --overflow drop, truncate-prompt, "
        "truncate-answer or split"
    )


def test_an_error_over_many_rows_is_short() -> None:
    overflow = Overflow("error", 2)
    for i in range(100):
        overflow.fit(row("-xx", f"f:{i}"), 1, 1)
    with pytest.raises(UserError) as failure:
        overflow.check()
    assert failure.value.reason.startswith("100 rows are longer")
    assert failure.value.reason.endswith("f:4 (3 tokens) and 95 more")


masks = st.text("-x", min_size=2, max_size=30).map(lambda mask: "-" + mask[1:] + "x")
choices = st.sampled_from(["drop", "truncate-prompt", "truncate-answer", "split"])


@given(st.lists(masks, max_size=6), choices, st.integers(2, 12), st.integers(0, 1))
def test_sequences_are_short_and_all_accounted_for(
    rows: list[str], choice: str, limit: int, lead: int
) -> None:
    overflow = Overflow(choice, limit)
    kept = [new for mask in rows for new in overflow.fit(row(mask), mask.rindex("-") + 1, lead)]
    counts = overflow.counts
    added = sum(n for cause, n in counts.items() if cause.endswith("added"))
    dropped = sum(n for cause, n in counts.items() if cause.endswith("dropped"))
    assert len(rows) + added == len(kept) + dropped
    for new in kept:
        assert len(new.ids) == len(new.weights) <= limit
        assert new.learned
        assert not new.weights[0]
    if choice == "split":
        learned = sum(new.learned for new in kept)
        assert learned == sum(row(mask).learned for mask in rows)
    if choice == "truncate-prompt":
        for new, mask in zip(kept, [m for m in rows if answer_fits(m, limit, lead)], strict=True):
            size = len(mask) - mask.rindex("-") - 1
            assert new.ids[-size:] == row(mask).ids[-size:]
            assert all(new.weights[-size:])


def answer_fits(mask: str, limit: int, lead: int) -> bool:
    size = len(mask) - mask.rindex("-") - 1
    return len(mask) <= limit or size + 1 <= limit


# --- with real rows

LONG = chat("user: hi", "assistant: hello", "user: two plus two?", "assistant: four")


def encoded(
    family: Family, folder: Path, choice: str, limit: int, **how: str
) -> tuple[list[str], Encoding]:
    tokenizer = build(family, folder)
    encoding = Encoding(tokenizer, overflow=choice, max_length=limit, **how)
    return [shown(tokenizer, r) for r in encoding.sequences([LONG])], encoding


def test_bos_stays_and_the_last_answer_is_whole(tmp_path: Path) -> None:
    rows, encoding = encoded(VICUNA, tmp_path, "truncate-prompt", 12)
    assert rows == ["<s> ␣ plus ␣ two ? ␣ ASSISTANT : « ␣ four </s> »"]
    assert encoding.counts == {"longer than --max-length": 1, "truncated": 1}


def test_without_bos_nothing_stays_in_front(tmp_path: Path) -> None:
    rows, _ = encoded(ZEPHYR, tmp_path, "truncate-prompt", 10)
    assert rows == ["⏎ < | assistant | > ⏎ « four </s> » ⏎"]


def test_a_cut_answer_has_no_stop(tmp_path: Path) -> None:
    rows, _ = encoded(VICUNA, tmp_path, "truncate-answer", 10, train_on="last")
    assert rows == []
    rows, _ = encoded(VICUNA, tmp_path, "truncate-answer", 10)
    assert rows == ["<s> USER : ␣ hi ␣ ASSISTANT : « ␣ hello »"]


def test_stops_that_are_appended_count(tmp_path: Path) -> None:
    tokenizer = build(LLAMA_3, tmp_path)
    (whole,) = Encoding(tokenizer).sequences([LONG])
    size = len(whole.ids)
    assert list(Encoding(tokenizer, max_length=size).sequences([LONG])) == [whole]
    with pytest.raises(UserError, match=rf"rows.jsonl:1 \({size} tokens\)"):
        list(Encoding(tokenizer, max_length=size - 1).sequences([LONG]))


def test_everything_learned_has_no_prompt_to_cut(tmp_path: Path) -> None:
    rows, encoding = encoded(VICUNA, tmp_path, "truncate-prompt", 12, train_on="all")
    assert rows == []
    assert encoding.counts["answer alone longer than --max-length, dropped"] == 1
    assert encoding.dropped == ["rows.jsonl:1"]
