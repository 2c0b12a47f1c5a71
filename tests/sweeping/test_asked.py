"""asked: the file of a sweep, what was typed over it, and what makes it another sweep."""

from __future__ import annotations

import pytest

from instructune.configs import SweepConfig
from instructune.errors import UserError
from instructune.sweeping.asked import Asked, fields_that_differ, job, read_asked

TRAIN = '[train]\ndata = "d.jsonl"\neval_data = "e.jsonl"\nmodel = "tiny-llama"\n'
SEARCH = "[search]\nseed = [1, 2, 3]\n"


@pytest.fixture
def read(write):
    def read(toml: str = "", train: str = "", search: str = SEARCH, **given: object) -> Asked:
        return read_asked(write("s.toml", "\n".join((TRAIN + train, search, toml))), given)

    return read


def test_typed_beats_file_beats_default(read):
    asked = read('[sweep]\ntrials = 2\nsampler = "random"\nmin-steps = 3\npruning = "asha"')
    assert asked.config == SweepConfig(trials=2, sampler="random", min_steps=3, pruning="asha")
    assert asked.space.train["data"] == ("d.jsonl",)
    assert (asked.best, asked.generate) == (None, {})
    assert read("[sweep]\ntrials = 2", trials=1, seed=4).config == SweepConfig(trials=1, seed=4)


@pytest.mark.parametrize(
    ("toml", "search", "count"),
    [
        ("", SEARCH, 3),  # as many as there are
        ("[sweep]\ntrials = 2", SEARCH, 2),
        ("[sweep]\nsampler = 'grid'", "[search]\nseed = {low = 0, high = 99}", 100),
        ("", "[search]\nseed = {low = 0, high = 99}", 20),
        ("[sweep]\ntrials = 30", "[search]\ndropout = {low = 0, high = 0.5}", 30),
    ],
)
def test_how_many_trials(read, toml, search, count):
    assert read(toml, search=search).trials == count


@pytest.mark.parametrize(
    ("toml", "sign"),
    [
        ("", 1),
        ("[sweep]\nmetric = 'accuracy'", -1),
        ("[sweep]\nmetric = 'perplexity'", 1),
        ("[sweep]\nmetric = 'accuracy'\nmode = 'min'", 1),
        ("[sweep]\nmetric = 'ece'\nmode = 'max'", -1),
    ],
)
def test_which_is_better(read, toml, sign):
    assert read(toml).sign == sign


@pytest.mark.parametrize(
    ("toml", "train", "message"),
    [
        ("[serach]", "", "s.toml: unknown table [serach]\n  hint: did you mean 'search'?"),
        ("[sweep]\ntrails = 3", "", "s.toml: sweep: unknown setting 'trails'"),
        ("[sweep]\ndry_run = true", "", "s.toml: sweep.dry_run: is not for a sweep's file"),
        ("", 'output = "x"\n', "s.toml: train.output: is not for a sweep's file"),
        ("[best]\neval_data = 'x'", "", "s.toml: best.eval_data: is not for a sweep's file"),
        ("[best]\nepochs = -1", "", "--epochs: must be above 0"),
        ("[generate]\nmodel = 'x'", "", "s.toml: generate.model: is not for a sweep's file"),
        ("[generate]\ntop_k = 3", "", "s.toml: generate: eval_loss needs no answers"),
        ("[sweep]\nmetric = 'acuracy'", "", "unknown metric 'acuracy'"),
        ("[sweep]\nmode = 'max'", "", "--mode: a loss is minimised"),
        ("[sweep]\nmin_steps = 3", "", "--min-steps: needs --pruning asha"),
        ("[sweep]\nreduction = 1", "", "--reduction: must be from 2 to 100, got 1"),
    ],
)
def test_refused(read, toml, train, message):
    with pytest.raises(UserError) as caught:
        read(toml, train)
    assert message in str(caught.value)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ('[train]\neval_data = "e"\n', "train.data: must name files"),
        ('[train]\ndata = "-"\neval_data = "e"\n', "train.data: must name files"),
        ('[train]\ndata = "d"\n', "train.eval_data: must name a file"),
        ('[train]\ndata = "d"\neval_data = "-"\n', "train.eval_data: must name a file"),
        ("train = 3\n", "train: must be a table"),
    ],
)
def test_the_data_are_files(write, train, message):
    with pytest.raises(UserError, match=message):
        read_asked(write("s.toml", train + SEARCH), {})


def test_ranges_and_samplers(read):
    endless = "[search]\ndropout = {low = 0, high = 0.5}"
    with pytest.raises(UserError, match="a grid needs to know which values"):
        read(search=endless, sampler="grid")
    with pytest.raises(UserError, match="points are for the sampler grid, not tpe"):
        read(search="[search]\ndropout = {low = 0, high = 0.5, points = 3}")


def test_what_makes_another_sweep(read):
    asked = read("[sweep]\npruning = 'asha'")
    identity = asked.identity(4)

    def differ(*args: str, min_steps: int = 4, **given: object) -> list[str]:
        given.setdefault("pruning", "asha")
        return fields_that_differ(identity, read(*args, **given).identity(min_steps))

    assert differ() == []
    same = 'threads = 3\nlog_every = 7\ntrack = "wandb"\nkeep_checkpoints = 9\n'
    assert differ("[best]\nepochs = 9", same, trials=2, workers=2, report="r.html") == []
    assert differ("", "batch_size = 4\n") == ["train.batch_size: 8 -> 4"]
    assert differ(search="[search]\nseed = [1, 2]") == ["search.seed: 1, 2, 3 -> 1, 2"]
    assert differ(seed=1, sampler="random") == ["sampler: tpe -> random", "seed: 0 -> 1"]
    assert differ(reduction=4, min_steps=5) == ["min_steps: 4 -> 5", "reduction: 3 -> 4"]
    assert differ("[generate]\ntop_k = 2", metric="accuracy") == [
        "metric: eval_loss -> accuracy",
        "mode: min -> max",
        "generate.top_k: None -> 2",
    ]
    assert differ(pruning="none")[0] == "pruning: asha -> none"


def test_a_job(read):
    asked = read(
        "[sweep]\nmetric = 'accuracy'\n[generate]\nmax_new_tokens = 4",
        "[train.method]\nname = 'lora'\nrank = 2\n",
        "[search]\n'method.rank' = [4, 8]\n",
    )
    found = job(asked, {"method.rank": 8}, "out/trial-0001", 3)
    assert found["metric"] == "accuracy"
    assert found["generate"] == {"threads": 3, "max_new_tokens": 4}
    train = found["train"]
    assert (train["method"], train["output"], train["threads"]) == (
        "lora:rank=8",
        "out/trial-0001",
        3,
    )
    assert train["data"] == ("d.jsonl",)
    own = read(train="threads = 1\n")
    assert job(own, {"seed": 2}, "o", 3)["train"]["threads"] == 1
