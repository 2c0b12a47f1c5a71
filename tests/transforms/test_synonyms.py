"""synonyms: other words for the same, spans and answers right."""

from __future__ import annotations

import sys
from collections import Counter
from types import ModuleType, SimpleNamespace

import pytest

from instructune.errors import Exit, UserError
from instructune.records import Record
from instructune.transforms.synonyms import Options, Transform

LEXICON = "big\tlarge\nquick\trapid\nold\tancient\n大\t巨大\n"


@pytest.fixture
def name(write) -> str:
    return write("lexicon.tsv", LEXICON)


def copied(record: Record, name: str, **options: object) -> list[Record]:
    return Transform(Options(file=name, **options))(record, Counter())


def test_all_known_words_of_what_is_asked(name):
    turns = [
        {"role": "system", "content": "big"},
        {"role": "user", "content": "A Quick dog, an old `big` one, BIG bigger; 大象"},
        {"role": "assistant", "content": "big"},
    ]
    made = copied(Record(id="a", messages=turns), name, rate=1.0)
    assert [one["id"] for one in made] == ["a", "a~synonyms1"]
    assert [turn["content"] for turn in made[1]["messages"]] == [
        "big",
        "A Rapid dog, an ancient `big` one, LARGE bigger; 巨大象",
        "big",
    ]


def test_articles_and_entities(name):
    record = Record(
        id="a",
        text="a big sea, an old man, a old Big Ben now",
        entities=[{"start": 29, "end": 36, "type": "L"}],
    )
    (_, copy) = copied(record, name, rate=1.0)
    assert copy["text"] == "a large sea, an ancient man, an ancient Big Ben now"
    assert [copy["text"][e["start"] : e["end"]] for e in copy["entities"]] == ["Big Ben"]


def test_tokens_outside_spans(name):
    record = Record(id="a", tokens=["Big", "old", "Ben"], tags=["O", "B-L", "I-L"])
    (_, copy) = copied(record, name, rate=1.0)
    assert copy["tokens"] == ["Large", "old", "Ben"]
    assert copy["tags"] == record["tags"]


def test_draws_and_shares(name):
    record = Record(id="a", text="big quick old big quick old big quick old big")
    made = [copied(record, name, rate=0.3, seed=seed)[1]["text"] for seed in range(5)]
    assert made == [copied(record, name, rate=0.3, seed=seed)[1]["text"] for seed in range(5)]
    assert len(set(made)) > 1
    before = record["text"].split()
    for text in made:
        assert sum(a != b for a, b in zip(before, text.split(), strict=True)) == 3
    assert len(copied(record, name, copies=3)) == 4
    unknown = Record(id="b", text="nothing known")
    assert copied(unknown, name)[0] is unknown


@pytest.mark.parametrize(
    "options",
    [{}, {"file": "x", "source": "wordnet"}, {"file": "x", "rate": 0}, {"file": "x", "copies": 0}],
)
def test_wrong_options(options):
    with pytest.raises(UserError):
        Options(**options)


def wordnet(monkeypatch, synsets) -> None:
    corpus = ModuleType("nltk.corpus")
    corpus.wordnet = SimpleNamespace(synsets=synsets)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nltk", ModuleType("nltk"))
    monkeypatch.setitem(sys.modules, "nltk.corpus", corpus)


def test_an_installed_wordnet(monkeypatch):
    sense = SimpleNamespace(lemma_names=lambda: ["car", "auto", "motor_car", "Benz"])
    wordnet(monkeypatch, lambda word: [sense] if word in ("car", "cars") else [])
    record = Record(id="a", text="The car and two cars")
    (_, copy) = Transform(Options(source="wordnet", rate=1.0))(record, Counter())
    assert copy["text"] == "The auto and two cars"


def test_no_wordnet(monkeypatch):
    def absent(word: str) -> list[object]:
        raise LookupError

    wordnet(monkeypatch, absent)
    with pytest.raises(UserError, match="data is not installed") as told:
        Transform(Options(source="wordnet"))
    assert told.value.code == Exit.UNAVAILABLE
    monkeypatch.setitem(sys.modules, "nltk.corpus", None)
    with pytest.raises(UserError) as told:
        Transform(Options(source="wordnet"))
    assert told.value.code == Exit.UNAVAILABLE
