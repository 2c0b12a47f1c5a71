"""tree_best: at each turn the reply that people ranked first."""

from __future__ import annotations

import pytest

from instructune.formats import tree_best


def node(name, role, *replies, **more):
    return {"message_id": name, "text": name, "role": role, "replies": list(replies)} | more


def path(row):
    (made,) = tree_best.convert(row)
    return "".join(turn["content"] for turn in made["messages"])


def test_the_best_live_reply_is_taken_each_time():
    worse = node("b", "assistant", node("x", "prompter"), rank=1)
    deleted = node("d", "assistant", rank=0, deleted=True)
    best = node("c", "assistant", node("e", "prompter", node("f", "assistant")), rank=0)
    assert path(node("a", "prompter", worse, deleted, best)) == "acef"
    assert path(node("a", "prompter", worse, deleted)) == "ab"  # not the prompt behind it
    assert path(node("a", "prompter", node("u", "assistant"), worse)) == "ab"
    assert path(node("a", "prompter", node("u", "assistant"), node("v", "assistant"))) == "au"
    assert path(node("a", "prompter")) == "a"


def test_only_by_name_and_never_without_a_message():
    assert not tree_best.recognises(frozenset({"message_id", "replies", "text"}))
    with pytest.raises(ValueError, match="the first message was deleted"):
        tree_best.convert(node("a", "prompter", deleted=True))
