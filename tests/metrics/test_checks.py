"""checks: every IFEval instruction against the known faults of its verifier, strict and loose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.formats import ifeval
from instructune.statistics.tables import exact_sums

checks = Metric("checks")
LOOSE = Metric("checks:loose=true")

# instruction, its args, an answer that follows it, one that does not, and answers on which
# IFEval's own verifier errs, with the right verdict
CASES = [
    (
        "keywords:existence",
        {"keywords": ["war", "c++"]},
        "A war on C++.",
        "A peace with C.",
        [("A warm day in C++.", False)],
    ),
    (
        "keywords:frequency",
        {"keyword": "war", "frequency": 2, "relation": "at least"},
        "War is war.",
        "War is bad.",
        [("Warm wars.", False)],
    ),
    (
        "keywords:forbidden_words",
        {"forbidden_words": ["c++", "name"]},
        "Names in C.",
        "My name.",
        [("It is in C++.", False)],
    ),
    (
        "keywords:letter_frequency",
        {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
        "# one # two",
        "one",
        [("aa bb cc dd ee ff", False)],
    ),
    (
        "language:response_language",
        {"language": "de"},
        "Heute ist das Wetter schön, und wir gehen in den Park.",
        "The weather is fine and we go to the park.",
        [("12345 !!!", False)],
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "at least"},
        "One. Two. Three.",
        "One. Two.",
        [("* one\n* two\n* three", True), ("Prof. A. Bell saw e.g. No. 5.", False)],
    ),
    (
        "length_constraints:number_paragraphs",
        {"num_paragraphs": 2},
        "One.\n***\nTwo.",
        "One.\n\nTwo.",
        [("A ***bold*** one.\n***\nTwo.", True), ("One.\n******\nTwo.", False)],
    ),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "at least"},
        "one two three",
        "one two",
        [("don't stop", False), ("我爱你", True)],
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"first_word": "it", "nth_paragraph": 2, "num_paragraphs": 2},
        "One.\n\nIt is.",
        "It is.\n\nOne.",
        [("One.\n\n\n\nIt is.", True), ("One.\n\nIt is.\n\nThree.", False)],
    ),
    (
        "detectable_content:number_placeholders",
        {"num_placeholders": 2},
        "[name], [date]",
        "[name]",
        [("[ ] [x] [here](there)", False)],
    ),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.S."},
        "Bye.\nP.S. Call me.",
        "Bye.",
        [("I added a p.s. to it.", False)],
    ),
    (
        "detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        "* one\n* two",
        "* one",
        [("* one\n---\n* two", True), ("*so*\n- one", False)],
    ),
    (
        "detectable_format:constrained_response",
        {},
        "My answer is yes.",
        "Yes.",
        [("My answer is yes. My answer is no.", False)],
    ),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        "*one* and **two**",
        "*one*",
        [("2 * 3 * 4 * 5 * 6", False)],
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        "SECTION 1\na\nSECTION 2\nb",
        "SECTION 1\na",
        [("As section 1 and section 2 say.", False)],
    ),
    ("detectable_format:json_format", {}, '{"a": 1}', "{a: 1}", [("7", False), ("NaN", False)]),
    ("detectable_format:title", {}, "<<Joy>>\nIt is.", "Joy\nIt is.", [("<<...>>", False)]),
    (
        "combination:two_responses",
        {},
        "One.\n******\nTwo.",
        "One.",
        [("One.\n******\none.", False)],
    ),
    (
        "combination:repeat_prompt",
        {"prompt_to_repeat": "Say it."},
        "Say it. I said it.",
        "I said it.",
        [("Say it.", False)],
    ),
    (
        "startend:end_checker",
        {"end_phrase": "The end."},
        "So it goes. The end.",
        "The end. Or is it?",
        [("So it goes. **The end.**", True)],
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "GO NOW",
        "Go now",
        [("I saw A.", False)],
    ),
    (
        "change_case:english_capital",
        {},
        "THE NAME OF THE DOG IS REX",
        "The name of the dog is Rex",
        [("EL PERRO DE LA VECINA COME MUCHO PAN POR LA TARDE", False), ("123", False)],
    ),
    (
        "change_case:english_lowercase",
        {},
        "the name of the dog is rex",
        "The name of the dog is Rex",
        [("el perro de la vecina come mucho pan por la tarde", False), ("123", False)],
    ),
    ("punctuation:no_comma", {}, "one and two", "one, two", [("一，二", False)]),
    ("startend:quotation", {}, '"So."', "So.", [('""', False)]),
]


def asked(*instructions: tuple[str, dict], prediction: str | None, name: str = "1") -> Answer:
    row = {"prompt": "do", "instruction_id_list": [], "kwargs": []}
    for instruction, args in instructions:
        row["instruction_id_list"].append(instruction)
        row["kwargs"].append(args)
    record = ifeval.convert(row, Counter())[0]
    return Answer(prediction, [], "none", {"id": name} | record)


def value_of(metric, answers) -> float:
    return float(metric.value(exact_sums(metric.statistics(answers))))


def test_the_cases_are_all_25_instructions():
    assert len({case[0] for case in CASES}) == 25


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_each_instruction(case):
    name, args, good, bad, faults = case
    for text, right in [(good, True), (bad, False), *faults]:
        answer = asked((name, args), prediction=text)
        assert bool(checks.row_score(answer)) is right, text
        assert LOOSE.row_score(answer) >= checks.row_score(answer)


@pytest.mark.parametrize("prediction", [None, "", " \n"])
def test_no_answer_passes_no_instruction(prediction):
    answers = [asked((c[0], c[1]), prediction=prediction, name=c[0]) for c in CASES]
    for metric in (checks, LOOSE):
        assert value_of(metric, answers) == 0
        assert [metric.row_score(answer) for answer in answers] == [0.0] * 25


def test_loose_forgives_what_stands_around():
    asks = ("punctuation:no_comma", {}), ("startend:quotation", {})
    answers = [
        asked(*asks, prediction='Sure, here:\n"It is so."', name="1"),
        asked(*asks, prediction='"It is so."', name="2"),
    ]
    assert value_of(checks, answers) == 0.5
    assert value_of(LOOSE, answers) == 1.0


def test_all_of_a_rows_checks_must_pass_and_each_is_told():
    asks = ("punctuation:no_comma", {}), ("change_case:english_lowercase", {}), ("k:rhyme", {})
    answers = [
        asked(*asks[:2], prediction="one of the two is it", name="1"),
        asked(*asks[:2], prediction="one, of the two, is it", name="2"),
        asked(*asks, prediction="it is of the one", name="3"),
    ]
    sums = exact_sums(checks.statistics(answers))
    assert float(checks.value(sums)) == pytest.approx(1 / 3)
    assert checks.details(answers, sums) == {
        "per_check": {
            "all_lower": {"passed": 1.0, "n": 3.0},
            "k:rhyme": {"passed": 0.0, "n": 1.0},
            "no_commas": {"passed": pytest.approx(2 / 3), "n": 3.0},
        },
        "unverifiable": {"n": 1, "checks": {"k:rhyme": "unknown check 'k:rhyme'"}},
    }


def test_a_row_without_checks_is_an_error_not_a_pass():
    for row in ({"id": "q"}, {"id": "q", "checks": []}, {"id": "q", "checks": [{"args": {}}]}):
        with pytest.raises(UserError, match="id 'q'"):
            checks.statistics([Answer("a", [], "none", row)])


def test_a_large_table_is_sparse_and_the_same(monkeypatch):
    answers = [asked((c[0], c[1]), prediction=c[2], name=c[0]) for c in CASES]
    dense = checks.statistics(answers)
    monkeypatch.setattr("instructune.metrics._table._DENSE", 0)
    assert np.array_equal(checks.statistics(answers).toarray(), dense)


def test_the_same_text_gets_the_same_verdict_in_every_process():
    program = (
        "from instructune.checking import failures\n"
        "texts = ['Bonjour hello', 'Otec matka syn.', 'HELLO', '123']\n"
        "asked = [{'check': 'response_language', 'args': {'language': code}} for code in\n"
        "         ('en', 'fr', 'pl', 'fi', 'cs')]\n"
        "print([[failures(t, asked, {}) for t in texts] for _ in range(20)])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    rounds = json.loads(said.pop().replace(b"'", b'"'))
    assert all(one == rounds[0] for one in rounds)
