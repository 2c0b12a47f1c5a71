"""IFEval rows: a `prompt`, its `instruction_id_list` and their `kwargs` become `checks`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

TAKES = ("key", "prompt", "instruction_id_list", "kwargs")

Check = dict[str, Any]

_CHOICES = ["My answer is yes.", "My answer is no.", "My answer is maybe."]


def recognises(keys: frozenset[str]) -> bool:
    """By the instruction ids and their arguments beside a prompt."""
    return {"prompt", "instruction_id_list", "kwargs"} <= keys and "completion" not in keys


def convert(row: dict[str, Any], notes: Counter[str]) -> list[dict[str, Any]]:
    """The prompt is the user's turn, each instruction a check, args that are null left out.

    An unknown instruction becomes a check of its own name, which every answer fails.
    """
    prompt, names, all_args = row["prompt"], row["instruction_id_list"], row["kwargs"]
    if type(prompt) is not str:
        raise ValueError("prompt must be a string")
    if type(names) is not list or type(all_args) is not list or len(names) != len(all_args):
        raise ValueError("instruction_id_list and kwargs must be lists of one length")
    checks = [_of(name, args, notes) for name, args in zip(names, all_args, strict=True)]
    made: dict[str, Any] = {"messages": [{"role": "user", "content": prompt}], "checks": checks}
    if "key" in row and "id" not in row:
        made["id"] = str(row["key"])
    return [made]


def _of(name: Any, args: Any, notes: Counter[str]) -> Check:
    """One instruction as a check. A key that is null was not given; 0 was."""
    if type(name) is not str:
        raise ValueError(f"instruction {name!r} is no name")
    if type(args) is not dict:
        raise ValueError(f"kwargs of {name} must be an object")
    given = {key: value for key, value in args.items() if value is not None}
    if name not in _MADE:
        notes["instructions that no check verifies"] += 1
        return _check(name, **given)
    try:
        return _MADE[name](given)
    except KeyError as error:
        raise ValueError(f"kwargs of {name} lack {error.args[0]!r}") from None


def _check(name: str, /, **args: Any) -> Check:
    return {"check": name, "args": args} if args else {"check": name}


def _related(args: Mapping[str, Any], count: str, relation: str = "relation") -> dict[str, int]:
    """`at least n` or `less than n` as inclusive bounds."""
    n = args[count]
    if type(n) is not int:
        raise ValueError(f"{count} must be a whole number")
    if args[relation] == "at least":
        return {"min": n}
    if args[relation] == "less than":
        if n < 1:
            raise ValueError(f"{count} is less than 1, which nothing can be less than")
        return {"max": n - 1}
    raise ValueError(f"{relation} {args[relation]!r} is neither 'at least' nor 'less than'")


def _words(args: Mapping[str, Any]) -> Check:
    bounds = _related(args, "num_words")
    name, n = next(iter(bounds.items()))
    return _check(f"{name}_words", n=n)


def _exactly(n: Any) -> dict[str, Any]:
    return {"min": n, "max": n}


def _first_word(args: Mapping[str, Any]) -> Check:
    return _check(
        "first_word",
        word=args["first_word"],
        paragraph=args["nth_paragraph"],
        paragraphs=args["num_paragraphs"],
    )


_MADE: dict[str, Callable[[Mapping[str, Any]], Check]] = {
    "change_case:capital_word_frequency": lambda a: _check(
        "capital_words", **_related(a, "capital_frequency", "capital_relation")
    ),
    "change_case:english_capital": lambda a: _check("all_upper", language="en"),
    "change_case:english_lowercase": lambda a: _check("all_lower", language="en"),
    "combination:repeat_prompt": lambda a: _check("repeat_prompt", text=a["prompt_to_repeat"]),
    "combination:two_responses": lambda a: _check("responses", n=2),
    "detectable_content:number_placeholders": lambda a: _check(
        "placeholders", min=a["num_placeholders"]
    ),
    "detectable_content:postscript": lambda a: _check("postscript", marker=a["postscript_marker"]),
    "detectable_format:constrained_response": lambda a: _check("choice", options=_CHOICES),
    "detectable_format:json_format": lambda a: _check("json_format"),
    "detectable_format:multiple_sections": lambda a: _check(
        "sections", marker=a["section_spliter"], min=a["num_sections"]
    ),
    "detectable_format:number_bullet_lists": lambda a: _check(
        "bullet_points", **_exactly(a["num_bullets"])
    ),
    "detectable_format:number_highlighted_sections": lambda a: _check(
        "highlights", min=a["num_highlights"]
    ),
    "detectable_format:title": lambda a: _check("title"),
    "keywords:existence": lambda a: _check("include_words", words=a["keywords"]),
    "keywords:forbidden_words": lambda a: _check("forbid_words", words=a["forbidden_words"]),
    "keywords:frequency": lambda a: _check(
        "word_frequency", word=a["keyword"], **_related(a, "frequency")
    ),
    "keywords:letter_frequency": lambda a: _check(
        "letter_frequency", letter=a["letter"], **_related(a, "let_frequency", "let_relation")
    ),
    "language:response_language": lambda a: _check("response_language", language=a["language"]),
    "length_constraints:nth_paragraph_first_word": _first_word,
    "length_constraints:number_paragraphs": lambda a: _check(
        "paragraphs", **_exactly(a["num_paragraphs"]), separator="stars"
    ),
    "length_constraints:number_sentences": lambda a: _check(
        "sentences", **_related(a, "num_sentences")
    ),
    "length_constraints:number_words": _words,
    "punctuation:no_comma": lambda a: _check("no_commas"),
    "startend:end_checker": lambda a: _check("ends_with", text=a["end_phrase"]),
    "startend:quotation": lambda a: _check("quoted"),
}
