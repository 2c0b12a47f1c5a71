"""redact: data gone from every corner of a record, spans and tags right, pseudonyms stable."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from instructune.errors import UserError
from instructune.preparing.pii import find
from instructune.records import Record
from instructune.transforms.redact import Options, Transform


def redacted(record: dict[str, Any], **options: Any) -> tuple[Record, dict[str, int]]:
    changes: Counter[str] = Counter()
    (after,) = Transform(Options(**options))(Record({"id": "1"} | record), changes)
    return after, dict(changes)


def test_everywhere_in_a_chat():
    call = {"function": {"name": "f", "arguments": '{"to": "a@b.org", "n": 13812345678}'}}
    turns = [
        {"role": "user", "content": "打13812345678或a@b.org"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "assistant", "content": "ok"},
    ]
    after, changes = redacted({"messages": turns, "references": ["a@b.org"]})
    assert after["messages"][0]["content"] == "打<PHONE>或<EMAIL>"
    arguments = after["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert arguments == '{"to": "<EMAIL>", "n": "<PHONE>"}'
    assert after["references"] == ["<EMAIL>"]
    assert changes == {"phone redacted": 1, "email redacted": 1}


def test_entities_and_tags():
    after, _ = redacted(
        {
            "text": "Ann, a@b.org, Rome",
            "entities": [
                {"start": 0, "end": 3, "type": "P"},
                {"start": 5, "end": 6, "type": "X"},
                {"start": 14, "end": 18, "type": "L"},
            ],
        }
    )
    assert after["text"] == "Ann, <EMAIL>, Rome"
    assert [after["text"][e["start"] : e["end"]] for e in after["entities"]] == [
        "Ann",
        "<EMAIL>",
        "Rome",
    ]
    after, _ = redacted(
        {"tokens": list("打13812345678吧"), "tags": ["O", *(["B-T"] + ["I-T"] * 10), "O"]}
    )
    assert after["tokens"] == ["打", "<PHONE>", "吧"]
    assert after["tags"] == ["O", "B-T", "O"]


def test_other_columns_and_types_on_demand():
    row = {"text": "a@b.org 13812345678", "note": {"by": ["a@b.org"]}, "other": "a@b.org"}
    after, changes = redacted(row, types=("email",), fields=("note", "absent"))
    assert after["text"] == "<EMAIL> 13812345678"
    assert after["note"] == {"by": ["<EMAIL>"]}
    assert after["other"] == "a@b.org"
    assert changes == {"email redacted": 1}


def test_pseudonyms_tell_apart_and_need_a_salt():
    row = {"text": "a@b.org, A@b.org, c@d.org; 138-1234-5678 13812345678"}
    text = redacted(row, by="pseudonym", salt="s")[0]["text"]
    one, two, three, *phones = text.replace(",", "").replace(";", "").split()
    assert one == two != three
    assert phones[0] == phones[1]
    assert not find(text)
    assert redacted(row, by="pseudonym", salt="s")[0]["text"] == text
    assert redacted(row, by="pseudonym", salt="t")[0]["text"] != text
    with pytest.raises(UserError, match="needs a salt"):
        Options(by="pseudonym")
    with pytest.raises(UserError, match="unknown type 'mail'"):
        Options(types=("mail",))


def test_a_record_without_data_is_the_same_object():
    record = Record(id="a", text="nothing to see")
    assert Transform(Options())(record, Counter())[0] is record
