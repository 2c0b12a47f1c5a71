"""paraphrasing: what is recognised, what is said instead, and that every shipped group works."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.preparing.editing import applied
from instructune.preparing.paraphrasing import BUILT_IN, Paraphrases

SHIPPED = Paraphrases([])


def said(text: str, paraphrases: Paraphrases = SHIPPED) -> list[str]:
    """All other ways to say it."""
    match = paraphrases.find(text)
    return [] if match is None else [applied(text, match.edits(o, text)) for o in match.others()]


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("Summarise the following text: It rained.", "Sum up the following text: It rained."),
        ("Summarise the text.", "Could you give me a summary of the text?"),
        ("Can you summarise the text?", "Give a summary of the text."),
        ("Please summarize this", "Write a summary of this"),
        ("Summarise the following:\nA. B?", "Can you summarise the following?\nA. B?"),
        ("explain why 3.5 is odd", "give an explanation of why 3.5 is odd"),
        ("explain the rule", "I would like an explanation of the rule"),
        ("Long text. Explain it.\n\nSum up the text above.",
         "Long text. Explain it.\n\nSummarise the text above."),
        ("How do I reset it? Now.", "Tell me how to reset it. Now."),
        ("What is the difference between a list and a set?", "How do a list and a set differ?"),
        ("Sum up the text, in verse.", "Give a summary of the text, in verse."),
        ("总结以下文章，不超过100个字。", "请对以下文章进行总结，不超过100个字。"),
        ("请把下面的句子翻译成英文：你好", "将下面的句子翻译成英文：你好"),
        ("什么是光？", "请解释什么是光。"),
        ("请问猫和狗有什么区别？", "请说明猫和狗的区别。"),
        ("  List 3 towns", "  Name 3 towns"),
    ],
)  # fmt: skip
def test_other_words(text, one):
    assert one in said(text)
    assert text not in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It rained. Summarise the text.",  # not the beginning
        "Summarise",
        "Summarised the text",
        "Summarise: it rained",
        "Summarise in one word the text",
        "Translate 'into the wild into' into French",  # which "into" it is cannot be told
        "Translate 'fall into place' into French",
        "Explain to a child the rule",
        "Explain thesis statements",  # begins with "the", but not with the word
        "How do I look?",
        "总结性的文章",
        "怎么了？",
        "解释性语言",
        "计算机是什么？",
    ],
)
def test_what_is_left_alone(text):
    assert said(text) == []


def test_before_a_comma_only_what_reads_on():
    assert not any("?" in text for text in said("Summarise the text, in verse."))
    assert said("How do I pay, and when?") == ["How can I pay, and when?"]
    assert "Say the text in other words" in said("Rephrase the text")
    assert said("Rephrase the text, in verse.") == ["Paraphrase the text, in verse."]


def filled(phrasing: str, group: dict, words: dict) -> str:
    first = group.get("first", ["grün"])
    first = words[first] if isinstance(first, str) else first
    gap = " " if first[0].isascii() else ""
    return phrasing.replace("{x}", f"{first[0]}{gap}ones").replace("{y}", "blå")


@pytest.mark.parametrize("name", ["en.toml", "zh.toml"])
def test_every_shipped_phrasing_is_known_for_its_group(name):
    table = tomllib.loads((BUILT_IN / name).read_text())
    for group in table["group"]:
        every = {filled(one, group, table.get("words", {})) for one in group["phrasings"]}
        also = {filled(one, group, table.get("words", {})) for one in group.get("also", ())}
        for text in every | also:
            found = {one.rstrip("?？.。") for one in said(text)}
            expected = {one.rstrip("?？") for one in every - {text}}
            assert found == expected, text


FILE = """
[words]
kinds = ["red", "blue"]
[[group]]
first = "kinds"
never = ["red hot"]
phrasings = ["From {x} make {y}", "Make {y} out of {x}"]
also = ["Let {x} be {y}"]
"""


def test_a_file_of_ones_own(write):
    own = Paraphrases([write("own.toml", FILE)])
    assert said("From red wool make socks!", own) == ["Make socks out of red wool!"]
    assert said("let red wool be socks", own) == [
        "from red wool make socks", "make socks out of red wool",
    ]  # fmt: skip
    assert said("From red hot wool make socks", own) == []
    assert said("From green wool make socks", own) == []
    assert said("Summarise the text", own) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "not TOML"),
        ("x = 1", r"needs \[\[group\]\] tables"),
        ("[[group]]\nphrasings = ['a {x}']", "two phrasings or more"),
        ("[[group]]\nphrasings = ['a {x}', 'b {y}']", "'b {y}' has other slots"),
        ("[[group]]\nphrasings = ['a {x} {x}', 'b {x}']", "a slot twice"),
        ("[[group]]\nphrasings = ['a {x}{y}', 'b {x} {y}']", "nothing to tell its slots by"),
        ("[[group]]\nphrasings = ['{x}', 'b {x}']", "nothing to tell its slots by"),
        ("[[group]]\nphrasing = ['{x}', 'b {x}']", "did you mean 'phrasings'"),
        ("[[group]]\nfirst = 'x'\nphrasings = ['a {x}', 'b {x}']", "first must be a list"),
        ("[[group]]\nphrasings = 'a'", "phrasings must be a list of texts"),
    ],
)
def test_wrong_files(write, text, message):
    with pytest.raises(UserError, match=message) as told:
        Paraphrases([write("own.toml", text)])
    assert told.value.where is not None


pieces = st.sampled_from(
    [
        "Summarise ",
        "the text",
        " into ",
        " and ",
        "和",
        "把",
        "翻译成",
        ".",
        "?",
        ",",
        ":",
        "\n",
        "\n\n",
    ]
    + ["Translate ", "Compare ", "How do I ", " x", "，", "有什么区别", "Please "]
)


@given(st.lists(pieces, max_size=12).map("".join))
def test_whatever_was_said_in_a_slot_stays(text):
    match = SHIPPED.find(text)
    for other in match.others() if match else ():
        new = applied(text, match.edits(other, text))
        assert all(value in new for value in match.filled.values())
        assert new.endswith(text[match.literals[-1][1] :])
        assert new.startswith(text[: match.literals[0][0]])
