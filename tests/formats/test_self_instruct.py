"""self_instruct: a record for each instance."""

from __future__ import annotations

import pytest

from instructune.formats import self_instruct


def turns(prompt, answer):
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def test_one_instance_and_many():
    one = {"id": "t", "instruction": "i", "instances": [{"input": "", "output": "a"}]}
    assert self_instruct.convert(one) == [{"messages": turns("i", "a")}]
    many = one | {"instances": [{"input": "x", "output": "a", "n": 1}, {"output": None}]}
    assert self_instruct.convert(many) == [
        {"messages": turns("i\nx", "a"), "group": "t", "instance": {"n": 1}},
        {"messages": turns("i", "a")[:1], "group": "t"},
    ]


@pytest.mark.parametrize(
    ("instances", "reason"),
    [([], "instances is empty"), ([5], "list of objects"), ([{"input": 5}], "must be a string")],
)
def test_what_is_wrong_is_told(instances, reason):
    with pytest.raises(ValueError, match=reason):
        self_instruct.convert({"instruction": "i", "instances": instances})
    with pytest.raises(ValueError, match="instruction must be a string"):
        self_instruct.convert({"instruction": 5, "instances": instances})


def test_recognises():
    assert self_instruct.recognises(frozenset({"id", "instruction", "instances"}))
    assert not self_instruct.recognises(frozenset({"instruction", "instances", "output"}))
