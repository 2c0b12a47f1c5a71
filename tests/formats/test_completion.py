"""completion: a prompt and what comes after it."""

from __future__ import annotations

import pytest

from instructune.formats import completion

USER = {"role": "user", "content": "q"}
ANSWER = {"role": "assistant", "content": "a"}
SYSTEM = {"role": "system", "content": "s"}


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"prompt": "q", "completion": "a"}, [USER, ANSWER]),
        ({"prompt": "q", "completion": "a", "system": "s"}, [SYSTEM, USER, ANSWER]),
        ({"prompt": "q"}, [USER]),
        ({"prompt": "q", "response": "a"}, [USER, ANSWER]),
        ({"prompt": "q", "output": "a"}, [USER, ANSWER]),
        ({"prompt": "q", "completion": None, "system": None}, [USER]),
        ({"prompt": [SYSTEM, USER], "completion": [ANSWER]}, [SYSTEM, USER, ANSWER]),
        (
            {"prompt": [{"role": "developer", "content": "s"}, USER], "completion": "a"},
            [SYSTEM, USER, ANSWER],
        ),
    ],
)
def test_convert(row, messages):
    assert completion.convert(row) == [{"messages": messages}]


def test_beside_a_completion_other_answers_stay_as_they_are():
    row = {"prompt": "q", "answer": "42", "completion": "a"}
    assert completion.convert(row) == [{"messages": [USER, ANSWER], "answer": "42"}]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": None, "completion": "a"}, "prompt must be a string or a list of turns"),
        ({"prompt": "q", "completion": 1}, "completion must be a string or a list of turns"),
        ({"prompt": "q", "completion": "a", "system": 0}, "system must be a string"),
        ({"prompt": ["q"]}, "prompt[0] must be an object with role and content"),
    ],
)
def test_wrong_shapes(row, reason):
    with pytest.raises(ValueError) as caught:
        completion.convert(row)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"prompt", "completion"}, True),
        ({"prompt", "completion", "whatever"}, True),
        ({"prompt"}, True),
        ({"prompt", "id", "task", "system"}, True),
        ({"prompt", "answer"}, True),
        ({"prompt", "response", "whatever"}, True),
        ({"prompt", "answer", "output"}, False),
        ({"prompt", "reply"}, False),
        ({"prompt", "response", "chosen", "rejected"}, False),
        ({"completion"}, False),
    ],
)
def test_a_prompt_alone_is_recognised_only_when_nothing_could_be_its_answer(keys, known):
    assert completion.recognises(frozenset(keys)) == known
