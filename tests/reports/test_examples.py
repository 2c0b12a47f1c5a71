"""reports/examples: which rows are shown, how many, how much of them."""

from __future__ import annotations

import re

from instructune.evaluating.predictions import Answer
from instructune.reports import examples
from instructune.reports.pages import page
from tests.wellformed import elements


def answer(name, prediction, reference="yes", **more):
    row = {"id": name, "messages": [{"role": "user", "content": f"is {name}?"}]} | more
    references = reference if isinstance(reference, list) else [reference]
    return Answer(prediction, references, "text", row)


def shown(answers, baseline=None, names=("exact_match",)):
    """Each folded part as its title and the ids in it, and all of the markup."""
    parts = list(examples.sections(names, answers, baseline))
    elements(page("t", parts))
    text = "".join(parts)
    found = {}
    for part in text.split("<details")[1:]:
        title = re.search("<summary>(.*?)</summary>", part).group(1)
        found[title] = re.findall("<header><span>(.*?)</span>", part)
    return found, text


BEFORE = [answer(name, said) for name, said in zip("abcd", ("yes", "no", "no", "yes"), strict=True)]
AFTER = [answer(name, said) for name, said in zip("abcd", ("no", "yes", "no", "yes"), strict=True)]


def test_lost_gained_and_worst():
    found, text = shown(AFTER, BEFORE)
    assert found == {
        "Lost: better before (1)": ["a"],
        "Gained: better now (1)": ["b"],
        "The worst now (2)": ["a", "c"],
    }
    assert "exact match 1 → 0" in text
    assert "exact match 0 → 1" in text
    assert re.findall("<h4>(.*?)</h4>", text)[:4] == ["Asked", "Wanted", "Before", "Now"]
    assert ">is a?</div>" in text


def test_without_a_baseline_the_worst():
    found, text = shown(AFTER)
    assert found == {"The worst now (2)": ["a", "c"]}
    assert re.findall("<h4>(.*?)</h4>", text)[:3] == ["Asked", "Wanted", "Answered"]
    assert '<details open="">' in text


def test_of_many_the_first():
    many = [answer(f"{i:02}", "the cat sat" if i else "no", "the cat") for i in range(30)]
    found, _ = shown(many, names=("token_f1",))
    assert found == {"The worst now (10 of 30)": [f"{i:02}" for i in range(10)]}


def test_the_greatest_loss_comes_first():
    wanted = "one two three four"
    before = [answer("a", wanted, wanted), answer("b", wanted, wanted)]
    after = [answer("a", "one two three", wanted), answer("b", "one", wanted)]
    assert shown(after, before, ("token_f1",))[0]["Lost: better before (2)"] == ["b", "a"]


def test_long_texts_are_cut():
    _, text = shown([answer("a", "x" * 5000, "y" * 900, messages=None, text="z" * 3000)])
    for letter, more in (("x", "4,200"), ("y", "100"), ("z", "2,200")):
        assert f'>{letter * 800}<span class="soft">… ({more} more characters)</span>' in text
    assert len(text) < 5000


def test_errors_and_empty_answers_are_told():
    _, text = shown([answer("a", None, error="CUDA <out>"), answer("b", ""), answer("c", None)])
    assert "error: CUDA &lt;out&gt;" in text
    assert "(an empty answer)" in text
    assert "error: no answer" in text


def test_words_are_compared_with_the_reference_or_the_baseline():
    _, text = shown([answer("a", "the red fox", "the fox")])
    assert "the <ins>red </ins>fox" in text
    _, text = shown([answer("a", "a red dog", "a")], [answer("a", "a red fox", "a")])
    assert "a red <ins>dog</ins>" in text
    assert "a red <del>fox</del>" in text


def test_several_references_and_other_types():
    _, text = shown([answer("a", "no", ["1", "2", "3", "4", "5"])])
    assert ">1 | 2 | 3 | … 2 more<" in text
    tags = Answer(["O", "B-X"], [["O", "O"]], "tags", {"id": "a", "tokens": ["p", "q"]})
    _, text = shown([tags], names=("entity_f1",))
    assert "Rows are told apart by equal to a reference." in text
    assert "[&quot;O&quot;,&quot;<ins>B-X</ins>&quot;]" in text


def test_nothing_where_rows_cannot_be_told_apart():
    assert shown([Answer("x", [], "none", {"id": "a"})], names=("self_bleu",)) == ({}, "")
