"""Decoding equals `transformers.generate` token for token, and draws from what the model says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from scipy import stats

from instructune.answering.caches import SPARE
from instructune.answering.decoding import Row, Settings, candidates, choose, decode
from tests.generating import GREEDY, answers, peer, prompts, tiny

PRESETS = ("tiny-llama", "tiny-gpt2")


@pytest.fixture(scope="module", params=PRESETS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return tiny(request.param)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return tiny("tiny-llama", seed=5)


# greedy


def test_greedy_equals_transformers_generate(model):
    asked = prompts(6)
    expected = [peer(model, ids, 12) for ids in asked]
    assert len({tuple(ids) for ids in expected}) == 6
    for batch_size in (1, 2, 6):
        rows = answers(model, asked, batch_size=batch_size)
        assert [row.ids for row in rows] == expected
        assert {row.finish_reason for row in rows} == {"length"}


def test_a_beginning_that_all_share_changes_nothing(model):
    asked = [*prompts(5, start=40), *prompts(1, start=40)]  # the last equals the first
    assert asked[0] == asked[-1]
    expected = [peer(model, ids, 9) for ids in asked]
    assert [row.ids for row in answers(model, asked, 9)] == expected


def test_stop_tokens_end_a_row_and_are_left_out(model):
    asked = prompts(6, seed=1)
    free = [peer(model, ids, 16) for ids in asked]
    stops = frozenset((free[0][0], free[1][3], free[2][7]))
    expected = [peer(model, ids, 16, stops) for ids in asked]
    assert expected[0] == []
    rows = answers(model, asked, 16, stops=stops)
    assert [row.ids for row in rows] == expected
    assert [row.finish_reason for row in rows] == [
        "length" if len(ids) == 16 else "stop" for ids in expected
    ]


def test_rows_that_end_early_leave_their_neighbours_alone(model):
    """Rows end one by one, others join in their places: every answer is as if alone."""
    asked = prompts(11, seed=2)
    limits = [1, 70, 3, 20, 2, 12, 5, 68, 1, 7, 9]
    expected = [peer(model, ids, most) for ids, most in zip(asked, limits, strict=True)]
    rows = answers(model, asked, limits, batch_size=4)
    assert [row.ids for row in rows] == expected


@contextmanager
def counted(model: Any) -> Iterator[list[int]]:
    """The number of rows in each forward pass of a single token a row."""
    sizes: list[int] = []

    def note(module: Any, args: Any, given: Any) -> None:
        if given["input_ids"].shape[1] == 1:
            sizes.append(len(given["input_ids"]))

    hook = model.register_forward_pre_hook(note, with_kwargs=True)
    yield sizes
    hook.remove()


def test_rows_run_at_most_batch_size_at_a_time(llama):
    rows = [Row([i, i + 1], 5, "") for i in range(9)]
    with counted(llama) as sizes:
        decode(llama, rows, frozenset(), GREEDY, 4)
    # the first token of each comes with its prompt
    assert sizes == [4] * 8 + [1] * 4


def test_finished_rows_are_taken_out_of_the_batch(llama):
    rows = [Row([i, 1], 1 + 2 * i, "") for i in range(1, 9)]  # 3, 5, 7 … 17 tokens
    with counted(llama) as sizes:
        decode(llama, rows, frozenset(), GREEDY, 8)
    # one ends every second step; they go once a quarter of the rows at hand has ended
    assert sizes == [8] * 4 + [6] * 4 + [4] * 2 + [3] * 2 + [2] * 2 + [1] * 2


def test_the_longest_answer_is_most_tokens(llama):
    rows = answers(llama, prompts(3), [1, 2, 3])
    assert [len(row.ids) for row in rows] == [1, 2, 3]


def test_no_rows_are_no_work(llama):
    decode(llama, [], frozenset(), GREEDY, 4)


def test_a_callback_ends_a_row(llama):
    row = Row([1, 2, 3], 20, "", ended=lambda ids: len(ids) == 4)
    decode(llama, [row], frozenset(), GREEDY, 1)
    assert (len(row.ids), row.finish_reason) == (4, "stop")


def test_new_tokens_are_told(llama):
    told: list[int] = []
    rows = [Row([i], 3 + i, "") for i in range(4)]
    decode(llama, rows, frozenset(), GREEDY, 4, told.append)
    assert sum(told) == sum(len(row.ids) for row in rows) == 3 + 4 + 5 + 6


def test_the_batch_is_exact_over_many_columns(llama):
    """More tokens than columns are kept free: the rows move to new memory and go on."""
    asked = prompts(2, seed=4)
    expected = [peer(llama, ids, 2 * SPARE + 3) for ids in asked]
    assert [row.ids for row in answers(llama, asked, 2 * SPARE + 3)] == expected


# what is not finite


def test_only_the_row_whose_output_is_not_finite_fails(llama):
    def spoil(module: Any, args: Any, given: Any, found: Any) -> None:
        found.logits[(given["input_ids"] == 77).any(-1)] = math.nan

    asked = [[1, 2, 3], [77, 2, 3, 4], [9]]
    whole = answers(llama, asked, 6)
    hook = llama.register_forward_hook(spoil, with_kwargs=True)
    broken = answers(llama, asked, 6)
    hook.remove()
    assert [row.finish_reason for row in broken] == ["length", "error", "length"]
    assert broken[1].ids == []
    assert [broken[i].ids for i in (0, 2)] == [whole[i].ids for i in (0, 2)]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_infinities_are_refused_unless_they_forbid_a_token(temperature):
    inf = math.inf
    logits = torch.tensor(
        [[0.0, inf, 1.0], [0.0, math.nan, 1.0], [-inf, -inf, -inf], [-inf, -inf, 1.0]]
    )
    settings = Settings(temperature, 1.0, 0)
    assert choose(logits, [("k", 0)] * 4, settings) == [None, None, None, 2]


# drawing


def drawn(logits: torch.Tensor, settings: Settings, count: int) -> torch.Tensor:
    """How often each token is drawn from one row of logits, by `count` rows' first draws."""
    tokens = choose(logits.expand(count, -1), [(f"row-{i}", 0) for i in range(count)], settings)
    return torch.bincount(torch.tensor(tokens), minlength=logits.shape[-1])


LOGITS = torch.tensor([[2.0, -1.0, 0.5, 1.5, -30.0, 0.0, 1.0, 0.7]])


def reference(settings: Settings) -> list[float]:
    """What each token's probability should be, in plain Python."""
    scores = [math.exp(x / settings.temperature) for x in LOGITS[0].tolist()]
    chances = [s / sum(scores) for s in scores]
    ranked = sorted(range(len(chances)), key=lambda i: -chances[i])
    if settings.top_k:
        ranked = ranked[: settings.top_k]
    mass = sum(chances[i] for i in ranked)
    kept, reached = [], 0.0
    for i in ranked:
        if kept and reached >= settings.top_p:
            break
        kept.append(i)
        reached += chances[i] / mass
    total = sum(chances[i] for i in kept)
    return [chances[i] / total if i in kept else 0.0 for i in range(len(chances))]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(1.0, 1.0, 0),
        Settings(0.5, 1.0, 0),
        Settings(2.0, 1.0, 0),
        Settings(1.0, 1.0, 3),
        Settings(1.0, 0.8, 0),
        Settings(1.5, 0.7, 5),
        Settings(1.0, 1.0, 100),
        Settings(1.0, 0.0, 0),
    ],
    ids=str,
)
def test_draws_follow_the_distribution(settings):
    expected = reference(settings)
    counts = drawn(LOGITS, settings, 20_000).tolist()
    assert all(n == 0 for n, p in zip(counts, expected, strict=True) if p == 0)
    likely = [(n, p) for n, p in zip(counts, expected, strict=True) if p * 20_000 > 5]
    if len(likely) > 1:
        total = sum(n for n, _ in likely)
        share = sum(p for _, p in likely)
        fit = stats.chisquare([n for n, _ in likely], [p / share * total for _, p in likely])
        assert fit.pvalue > 0.001


@pytest.mark.parametrize("settings", [Settings(0.8, 0.9, 0), Settings(1.3, 0.6, 40)], ids=str)
def test_candidates_are_those_of_transformers(settings):
    """Against its own warpers, on a vocabulary larger than what is looked at first."""
    from transformers import (
        LogitsProcessorList,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    logits = torch.randn(5, 3000, generator=torch.Generator().manual_seed(0)) * 2
    warpers = LogitsProcessorList([TemperatureLogitsWarper(settings.temperature)])
    if settings.top_k:
        warpers.append(TopKLogitsWarper(settings.top_k))
    warpers.append(TopPLogitsWarper(settings.top_p))
    expected = warpers(torch.zeros(5, 1), logits).softmax(-1)
    weights, ids = candidates(logits, settings)
    found = torch.zeros(5, 3000).scatter(-1, ids, weights / weights.sum(-1, keepdim=True))
    assert torch.equal(found > 0, expected > 0)
    assert torch.allclose(found, expected, atol=1e-6)
    assert (ids.diff(dim=-1) > 0).all()


def test_a_low_temperature_is_greedy():
    counts = drawn(LOGITS, Settings(1e-30, 1.0, 0), 50)
    assert counts.tolist() == [50, 0, 0, 0, 0, 0, 0, 0]


def test_draws_of_a_row_are_independent_of_each_other():
    """Pairs of successive draws of one row are as frequent as chance has them."""
    settings = Settings(1.0, 1.0, 0)
    even = torch.zeros(4000, 4)
    first, second = (
        choose(even, [(f"r{i}", step) for i in range(4000)], settings) for step in (0, 1)
    )
    pairs = torch.bincount(torch.tensor(first) * 4 + torch.tensor(second), minlength=16)
    assert stats.chisquare(pairs.tolist()).pvalue > 0.001


def test_an_answer_depends_only_on_its_key(model):
    """Not on the batch size, the order of the rows, or who its neighbours are."""
    settings = Settings(1.0, 0.95, 50)
    asked = prompts(7, seed=3)
    expected = [row.ids for row in answers(model, asked, 12, settings=settings)]
    for batch_size in (1, 3):
        rows = answers(model, asked, 12, settings=settings, batch_size=batch_size)
        assert [row.ids for row in rows] == expected
    alone = Row(asked[4], 12, "0/4")
    reverse = [Row(ids, 12, f"0/{i}") for i, ids in reversed(list(enumerate(asked)))]
    decode(model, [alone], frozenset(), settings, 1)
    decode(model, reverse, frozenset(), settings, 7)
    assert alone.ids == expected[4]
    assert [row.ids for row in reversed(reverse)] == expected


def test_other_keys_draw_other_tokens(llama):
    settings = Settings(1.0, 1.0, 0)
    rows = [Row([1, 2, 3], 12, f"0/same/{sample}") for sample in range(5)]
    decode(llama, rows, frozenset(), settings, 5)
    assert len({tuple(row.ids) for row in rows}) == 5
