"""describe: what is absent is filled and counted, what is there stays."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from instructune.records import Record, fault
from instructune.transforms.describe import Transform


def chat(prompt: str, **more: object) -> Record:
    return Record({"id": "1", "messages": [{"role": "user", "content": prompt}]} | more)


def run(record: Record) -> tuple[Record, Counter[str]]:
    changes: Counter[str] = Counter()
    (made,) = Transform(None)(record, changes)
    return made, changes


def test_everything_is_filled():
    prompt = "Translate the sentence into French. Do not use commas.\n\nThe library closes at six."
    made, changes = run(chat(prompt))
    assert made == chat(
        prompt,
        task="translation",
        kind=["task", "constraint"],
        structure={
            "action": "translate",
            "object": "the sentence into French",
            "input": "The library closes at six.",
            "constraints": ["not use commas"],
            "evidence": {"task": ["Translate", "into French"]},
        },
        checks=[{"check": "no_commas"}],
        language="en",
    )
    assert changes == {f"{name} filled": 1 for name in made if name not in ("id", "messages")}


def test_chinese():
    made, _ = run(chat("请用不超过50个字概括下面的文章，以JSON格式返回。\n昨天下雨了。"))
    assert made["language"] == "zh"
    assert made["task"] == "summarisation"
    assert made["checks"] == [
        {"check": "max_chars", "args": {"n": 50, "count": "zi"}},
        {"check": "json_format"},
    ]
    assert made["structure"]["output_format"] == "json"
    assert made["structure"]["input"] == "昨天下雨了。"


def test_what_a_row_says_of_itself_stays():
    own = {"task": "x", "kind": "task", "checks": [], "structure": {}, "language": "fr"}
    record = chat("Translate into Dutch: a", **own)
    changes: Counter[str] = Counter()
    assert Transform(None)(record, changes) == [record]
    assert Transform(None)(record, changes)[0] is record
    assert not changes
    half, changes = run(chat("Translate into Dutch: a", task="x"))
    assert half["task"] == "x"
    assert half["kind"] == ["task"]
    assert "task filled" not in changes


def test_the_last_turn_is_described():
    record = chat("Answer in JSON.")
    record["messages"] += [
        {"role": "assistant", "content": "{}"},
        {"role": "user", "content": "Summarise it."},
        {"role": "assistant", "content": "It is empty."},
    ]
    made, _ = run(record)
    assert made["task"] == "summarisation"
    assert "checks" not in made


def test_only_what_asks_something_is_described():
    for body in ({"text": "Translate this."}, {"tokens": ["Translate"]}):
        record = Record({"id": "1"} | body)
        changes: Counter[str] = Counter()
        assert Transform(None)(record, changes)[0] is record
        assert not changes


@given(st.text(alphabet='Write aQ:.?\n"“不要写字3', max_size=40))
def test_a_described_record_is_a_record_and_stays_as_it_is(prompt):
    made, _ = run(chat(prompt))
    assert fault(made) == fault(chat(prompt))
    again, changes = run(made)
    assert again == made
    assert not changes
