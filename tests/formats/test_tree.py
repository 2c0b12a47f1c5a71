"""tree: every path once, none beyond its last answer, nothing deleted."""

from __future__ import annotations

import pytest

from instructune.formats import tree


def node(name, role, *replies, **more):
    return {"message_id": name, "text": name.upper(), "role": role, "replies": list(replies)} | more


def paths(row):
    return ["".join(turn["content"] for turn in made["messages"]) for made in tree.convert(row)]


ROW = node(
    "a",
    "prompter",
    node("b", "assistant", node("c", "prompter", node("d", "assistant")), rank=1),
    node("e", "assistant", node("f", "prompter"), node("g", "prompter"), rank=0),
    node("h", "assistant", deleted=True),
)


def test_paths():
    assert paths(ROW) == ["ABCD", "AE"]
    one, two = tree.convert(ROW)
    assert two == {
        "id": "e",
        "messages": [
            {"role": "user", "content": "A"},
            {"role": "assistant", "content": "E"},
        ],
        "group": "a",
        "rank": 0,
    }
    assert "rank" not in one


def test_an_export_with_the_tree_around_its_prompt():
    row = {"message_tree_id": "T", "tree_state": "ready", "prompt": ROW}
    assert paths(row) == ["ABCD", "AE"]
    assert {made["group"] for made in tree.convert(row)} == {"T"}


def test_a_path_within_another_is_left_out_and_a_lone_prompt_stays():
    row = node(
        "a",
        "prompter",
        node(
            "b", "assistant", node("c", "prompter"), node("d", "prompter", node("e", "assistant"))
        ),
    )
    assert paths(row) == ["ABDE"]
    assert paths(node("a", "prompter")) == ["A"]
    assert paths(node("a", "prompter", node("b", "prompter"), node("c", "assistant"))) == [
        *("AB", "AC")
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (node("a", "prompter", deleted=True), "the first message was deleted"),
        (node("a", "system"), "has the role 'system'"),
        (node("a", "prompter", {"role": "assistant"}), "has no text"),
        ({"message_tree_id": "T", "prompt": "x"}, "has no text"),
    ],
)
def test_what_is_wrong_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        tree.convert(row)


def test_recognises():
    assert tree.recognises(frozenset({"message_id", "text", "replies"}))
    assert tree.recognises(frozenset({"message_tree_id", "prompt"}))
    assert not tree.recognises(frozenset({"text", "replies"}))
