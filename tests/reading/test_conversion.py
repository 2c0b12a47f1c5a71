"""conversion: which format a row has, and where each of its columns goes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.formats import formats
from instructune.reading import conversion
from instructune.reading.conversion import Converter

USER = {"role": "user", "content": "q"}
ANSWER = {"role": "assistant", "content": "a"}


def convert(row, format=None, **fields):
    """(format, record, notes) of one row; `fields` are name=column."""
    converter = Converter(format, {column: name for name, column in fields.items()})
    name, (record,) = converter(row)
    return name, dict(record), dict(converter.notes)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"instruction": "i", "output": "o"}, "alpaca"),
        ({"prompt": "p", "completion": "c"}, "completion"),
        ({"messages": [USER]}, "messages"),
        ({"conversations": [{"from": "human", "value": "q"}]}, "sharegpt"),
        ({"text": "t"}, "text"),
        ({"text": "t", "label": "l"}, "classification"),
        ({"text": "t", "category": "c", "source": "s"}, "classification"),
        ({"premise": "a", "hypothesis": "b", "label": 1}, "pair"),
        ({"tokens": ["a"], "ner_tags": [1]}, "tagged"),
        ({"text": "a", "tokens": ["a"], "tags": ["O"]}, "tagged"),
        ({"text": "a b", "head": "a", "tail": "b", "relation": "r"}, "relation"),
        ({"question": "q", "answer": "a", "title": "t"}, "qa"),
        ({"context": "c", "question": "q", "answers": {"text": ["c"]}}, "squad"),
        ({"context": "c", "question": "q", "answer": "c"}, "qa"),
        ({"source": "s", "target": "t"}, "source_target"),
        ({"prompt": "p", "chosen": "a", "rejected": "b"}, "preference"),
        ({"instruction": "i", "input": "x", "chosen": "a", "rejected": "b"}, "preference"),
        ({"messages": [USER, ANSWER], "kto_tag": True}, "kto"),
        ({"messages": [USER, ANSWER], "label": True}, "messages"),
        ({"instruction": "i", "instances": [{"input": "", "output": "o"}]}, "self_instruct"),
        ({"Definition": "d", "Instances": [{"input": "i", "output": "o"}]}, "super_ni"),
        ({"question_id": 1, "turns": ["q"]}, "turns"),
        ({"conversation": [{"input": "q", "output": "a"}]}, "xtuner"),
        (
            {"message_id": "m", "role": "prompter", "text": "t", "replies": [], "rank": None},
            "tree",
        ),
        ({"id": "1", "origin": "f:1", "text": "t"}, "record"),
        ({"id": "1", "origin": "f:1", "text": "t", "label": "l"}, "record"),
        ({"id": "1", "origin": "wiki", "conversations": []}, "sharegpt"),
    ],
)
def test_a_format_is_told_by_the_keys(row, name):
    assert convert(row)[0] == name


def test_keys_that_fit_two_formats_name_both():
    with pytest.raises(ValueError) as caught:
        convert({"messages": [USER], "conversations": []})
    assert str(caught.value) == (
        "could be messages or sharegpt: say which with --format (keys: conversations, messages)"
    )
    assert convert({"messages": [USER], "conversations": []}, "messages")[0] == "messages"


def test_unknown_keys_name_the_formats_and_the_way_out():
    with pytest.raises(ValueError) as caught:
        convert({f"k{i:02}": i for i in range(14)})
    assert str(caught.value) == (
        "no known format has these keys "
        "(k00, k01, k02, k03, k04, k05, k06, k07, k08, k09, k10, k11 …): name one with --format "
        f"({', '.join(formats.names())}) "
        "and its columns with --field name=column"
    )


def test_unknown_columns_pass_through_untouched_and_in_order_behind_the_id():
    row = {"z": {"b": 1, "a": [None]}, "text": "t", "id": "7", "a": 1.5, "m": None}
    name, record, notes = convert(row)
    assert list(record.items()) == [
        ("id", "7"),
        ("text", "t"),
        ("z", {"b": 1, "a": [None]}),
        ("a", 1.5),
        ("m", None),
    ]
    assert notes == {}


def test_reserved_names_that_nobody_mapped_are_set_aside_and_counted():
    row = {"messages": [USER, ANSWER], "label": True, "text": "x", "task": "t", "split": 3}
    name, record, notes = convert(row)
    assert record == {
        "id": "",
        "messages": [USER, ANSWER],
        "task": "t",  # descriptive, and of the right type
        "fields": {"label": True, "text": "x", "split": 3},
    }
    assert notes == {
        "column 'label' kept as fields.label": 1,
        "column 'text' kept as fields.text": 1,
        "column 'split' kept as fields.split": 1,
    }


def test_fields_of_the_row_itself_are_joined_with_what_is_set_aside():
    own = {"x": 1}
    row = {"text": "t", "positive": 7, "fields": own}
    assert convert(row)[1]["fields"] == {"x": 1, "positive": 7}
    assert own == {"x": 1}  # the row is not changed
    with pytest.raises(ValueError, match=r"has both 'positive' and fields\.positive"):
        convert(row | {"fields": {"positive": 1}})
    assert convert({"text": "t", "fields": 5})[1]["fields"] == {"fields": 5}


def test_a_mapped_name_is_taken_from_its_column():
    row = {"question": "q", "answer": "a", "n": 1}
    name, record, notes = convert(row, prompt="question", completion="answer")
    assert name == "completion"
    assert record == {"id": "", "messages": [USER, ANSWER], "n": 1}


def test_a_reserved_name_that_was_mapped_is_the_field_itself():
    _, record, notes = convert({"text": "t", "class": "pos"}, label="class")
    assert record == {"id": "", "text": "t", "label": "pos"}
    _, record, notes = convert({"text": "t", "label": "pos"}, label="label")
    assert record == {"id": "", "text": "t", "label": "pos"}
    assert notes == {}


def test_a_column_whose_name_another_took_is_not_lost():
    row = {"text": "title", "body": "t", "id": 1, "uuid": "u"}
    _, record, notes = convert(row, text="body", id="uuid")
    assert record == {"id": "u", "text": "t", "fields": {"text": "title", "id": 1}}
    assert notes == {
        "column 'text' kept as fields.text": 1,
        "column 'id' kept as fields.id": 1,
    }


def test_two_columns_can_change_places():
    row = {"prompt": "a", "completion": "q"}
    _, record, notes = convert(row, prompt="completion", completion="prompt")
    assert record == {"id": "", "messages": [USER, ANSWER]}


def test_a_missing_column_is_told_with_the_option():
    with pytest.raises(ValueError) as caught:
        convert({"answer": "a"}, prompt="question")
    assert str(caught.value) == "has no column 'question', named in --field prompt=question"


def test_a_missing_field_of_a_fixed_format_is_told_with_the_way_out():
    for format, field in [
        ("alpaca", "instruction"),
        ("completion", "prompt"),
        ("messages", "messages"),
        ("sharegpt", "conversations"),
        ("text", "text"),
    ]:
        with pytest.raises(ValueError) as caught:
            convert({"body": "x"}, format)
        assert str(caught.value) == (
            f"{format} row has no field '{field}': name the column with "
            f"--field {field}=COLUMN, or choose another --format"
        )


def test_a_misspelt_field_name_is_a_usage_error():
    with pytest.raises(UserError) as caught:
        convert({"q": "x"}, promt="q")
    assert str(caught.value) == (
        "--field: no field is called 'promt'\n  hint: did you mean 'prompt'?"
    )
    assert caught.value.code == 2
    with pytest.raises(UserError):
        convert({"q": "x"}, "alpaca", conversations="q")
    with pytest.raises(UserError, match="unknown format 'alpca'"):
        convert({"q": "x"}, "alpca")


@pytest.mark.parametrize(
    ("own", "id"), [(7, "7"), (-1, "-1"), (2**70, str(2**70)), ("a", "a"), (None, ""), (1.0, 1.0)]
)
def test_integer_ids_become_text_and_null_is_none(own, id):
    assert convert({"text": "t", "id": own})[1]["id"] == id


def test_records_pass_through_unchanged():
    row = {"x": 1, "text": "t", "origin": "f:1", "label": "a", "id": "1", "fields": {"label": 2}}
    name, record, notes = convert(row)
    assert list(record.items()) == list(row.items())
    assert (name, notes) == ("record", {})
    assert convert(row | {"id": 5})[1]["id"] == "5"
    _, record, _ = convert(row | {"tag": "b", "fields": {}}, label="tag")
    assert (record["label"], record["fields"]) == ("b", {"label": "a"})


def test_hostile_keys_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(conversion, "_REMEMBERED", 10)
    converter = Converter(None, {})
    for n in range(100):
        converter({"text": "t", f"key{n}": n})
    assert len(converter._plans) <= 10


def test_a_turn_for_a_row_is_told_with_what_to_type():
    with pytest.raises(ValueError, match="--container json:whole=messages"):
        convert({"role": "client", "content": "q", "annotation": []})


def records(row, format=None):
    converter = Converter(format, {})
    return converter(row)[1], dict(converter.notes)


def test_records_of_one_row_share_its_columns_and_number_its_id():
    row = {"id": 7, "instruction": "i", "instances": [{"output": "a"}, {"output": "b"}], "n": 1}
    made, _ = records(row)
    assert [(record["id"], record["n"], record["group"]) for record in made] == [
        ("7-1", 1, "7"),
        ("7-2", 1, "7"),
    ]
    (one,), _ = records(row | {"instances": [{"output": "a"}]})
    assert one["id"] == "7"


def test_ids_of_what_is_nested_win_over_the_row():
    question = {"id": "q1", "question": "q", "answers": []}
    (record,), notes = records({"id": "p", "context": "c", "qas": [question]})
    assert record["id"] == "q1"
    assert notes == {"questions without an answer": 1}


def test_a_format_that_takes_all_columns_leaves_none():
    (record,), _ = records({"train": [["t", "l"]]}, "split_pairs")
    assert dict(record) == {"id": "", "text": "t", "label": "l", "split": "train"}


def test_fields_of_row_and_format_are_joined():
    row = {"tokens": ["a", "b"], "head": [0, 1], "tail": [1, 2], "relation": "r"}
    (record,), _ = records(row | {"fields": {"x": 1}})
    assert record["fields"] == {"tokens": ["a", "b"], "x": 1}


KEYS = st.frozensets(
    st.sampled_from(
        sorted({name for format in formats.names() for name in formats[format].TAKES} | {"x"})
    ),
    max_size=7,
)
CHATS = {"messages", "sharegpt", "xtuner", "alpaca", "completion", "preference", "kto", "turns"}
NESTED = {"self_instruct", "super_ni", "squad", "tree", "qa", "record"}


@settings(max_examples=500)
@given(KEYS)
def test_bodies_that_are_no_chats_are_never_in_doubt(keys):
    found = {name for name in formats.names() if formats[name].recognises(keys)}
    assert len(found - CHATS - NESTED) <= 1
    if len(found) > 1 and "record" not in found:
        assert found & (CHATS | NESTED)
