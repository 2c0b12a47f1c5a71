"""ifeval: instruction ids and their arguments become checks."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from instructune.checking import prepared
from instructune.errors import UserError
from instructune.formats import ifeval
from instructune.reading.conversion import Converter
from instructune.records import Record, fault

EXACTLY_3 = {"min": 3, "max": 3}

# every instruction of the benchmark, its arguments as published, and what becomes of it
INSTRUCTIONS = [
    ("keywords:existence", {"keywords": ["a"]}, ("include_words", {"words": ["a"]})),
    ("keywords:forbidden_words", {"forbidden_words": ["a"]}, ("forbid_words", {"words": ["a"]})),
    (
        "keywords:frequency",
        {"keyword": "a", "frequency": 3, "relation": "at least"},
        ("word_frequency", {"word": "a", "min": 3}),
    ),
    (
        "keywords:letter_frequency",
        {"letter": "a", "let_frequency": 3, "let_relation": "less than"},
        ("letter_frequency", {"letter": "a", "max": 2}),
    ),
    ("language:response_language", {"language": "kn"}, ("response_language", {"language": "kn"})),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "less than"},
        ("sentences", {"max": 2}),
    ),
    (
        "length_constraints:number_paragraphs",
        {"num_paragraphs": 3},
        ("paragraphs", {**EXACTLY_3, "separator": "stars"}),
    ),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "at least"},
        ("min_words", {"n": 3}),
    ),
    (
        "detectable_content:number_placeholders",
        {"num_placeholders": 3},
        ("placeholders", {"min": 3}),
    ),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.P.S"},
        ("postscript", {"marker": "P.P.S"}),
    ),
    ("detectable_format:number_bullet_lists", {"num_bullets": 3}, ("bullet_points", EXACTLY_3)),
    (
        "detectable_format:constrained_response",
        {},
        ("choice", {"options": ["My answer is yes.", "My answer is no.", "My answer is maybe."]}),
    ),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 3},
        ("highlights", {"min": 3}),
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Day", "num_sections": 3},
        ("sections", {"marker": "Day", "min": 3}),
    ),
    ("detectable_format:json_format", {}, ("json_format", None)),
    ("detectable_format:title", {}, ("title", None)),
    ("combination:two_responses", {}, ("responses", {"n": 2})),
    ("combination:repeat_prompt", {"prompt_to_repeat": "a"}, ("repeat_prompt", {"text": "a"})),
    ("startend:end_checker", {"end_phrase": "a"}, ("ends_with", {"text": "a"})),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 3, "capital_relation": "at least"},
        ("capital_words", {"min": 3}),
    ),
    ("change_case:english_capital", {}, ("all_upper", {"language": "en"})),
    ("change_case:english_lowercase", {}, ("all_lower", {"language": "en"})),
    ("punctuation:no_comma", {}, ("no_commas", None)),
    ("startend:quotation", {}, ("quoted", None)),
]


def row(*instructions):
    names, args = [name for name, _ in instructions], [args for _, args in instructions]
    return {"key": 7, "prompt": "do", "instruction_id_list": names, "kwargs": args}


def convert(given):
    return ifeval.convert(given, Counter())


@pytest.mark.parametrize(("name", "args", "made"), INSTRUCTIONS, ids=lambda x: str(x)[:40])
def test_each_instruction(name, args, made):
    check, expected = made
    wanted = {"check": check, "args": expected} if expected else {"check": check}
    found = convert(row((name, args | {"other": None})))
    assert found == [
        {"messages": [{"role": "user", "content": "do"}], "checks": [wanted], "id": "7"}
    ]
    prepared(wanted, Record())


def test_the_first_word_of_a_paragraph_also_counts_them():
    args = {"first_word": "it", "num_paragraphs": 3, "nth_paragraph": 2}
    made = convert(row(("length_constraints:nth_paragraph_first_word", args)))
    assert made[0]["checks"] == [
        {"check": "first_word", "args": {"word": "it", "paragraph": 2, "paragraphs": 3}},
    ]


def test_zero_is_a_number_that_was_given():
    args = {"keyword": "a", "frequency": 0, "relation": "at least"}
    made = convert(row(("keywords:frequency", args)))
    assert made[0]["checks"][0]["args"] == {"word": "a", "min": 0}


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ((5, {}), "instruction 5 is no name"),
        (("keywords:existence", {}), "kwargs of keywords:existence lack 'keywords'"),
        (("keywords:existence", None), "kwargs of keywords:existence must be an object"),
        (
            ("length_constraints:number_words", {"num_words": 3, "relation": "about"}),
            "relation 'about' is neither 'at least' nor 'less than'",
        ),
        (
            ("length_constraints:number_words", {"num_words": "3", "relation": "at least"}),
            "num_words must be a whole number",
        ),
        (
            ("length_constraints:number_words", {"num_words": 0, "relation": "less than"}),
            "num_words is less than 1, which nothing can be less than",
        ),
    ],
)
def test_what_is_not_understood_is_refused(instruction, reason):
    with pytest.raises(ValueError) as caught:
        convert(row(instruction))
    assert str(caught.value) == reason


def test_an_unknown_instruction_becomes_a_check_that_does_not_exist():
    notes = Counter()
    made = ifeval.convert(row(("keywords:rhyme", {"n": 2, "m": None})), notes)
    assert made[0]["checks"] == [{"check": "keywords:rhyme", "args": {"n": 2}}]
    assert notes == {"instructions that no check verifies": 1}
    with pytest.raises(UserError, match="unknown check 'keywords:rhyme'"):
        prepared(made[0]["checks"][0], Record())


def test_lists_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="lists of one length"):
        convert(row(("punctuation:no_comma", {})) | {"kwargs": []})


def test_it_is_recognised():
    name, records = Converter(None, {})(row(("punctuation:no_comma", {})))
    assert name == "ifeval"
    assert records[0]["checks"] == [{"check": "no_commas"}]
    with_answer = frozenset(["prompt", "completion", "instruction_id_list", "kwargs"])
    assert not ifeval.recognises(with_answer)


def test_the_benchmark_itself(shared):
    with (shared / "ifeval/input_data.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    records = [Record(record) for row in rows for record in convert(row)]
    assert len(records) == 541
    assert [fault(record) for record in records] == [None] * 541
    for record in records:
        for item in record["checks"]:
            prepared(item, record)
    assert sum(len(record["checks"]) for record in records) == 834
