"""English constraints: the rules of form, length and wording, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from instructune.constraints import form, lengths, parts, style, wording
from instructune.constraints.found import Found


def constraints(text: str) -> Iterator[Found]:
    """Every constraint that a rule finds, with its evidence."""
    made = [
        item
        for rules in (lengths.RULES, parts.RULES, form.RULES, style.RULES, wording.RULES)
        for rule in rules
        for item in rule(text)
    ]
    options = {
        bare(option) for item in made if item.check == "choice" for option in item.args["options"]
    }
    # "just say 'yes' or 'no'" is a choice, not words that must both be there
    for item in made:
        if item.check != "include_words" or not options.issuperset(map(bare, item.args["words"])):
            yield item


def bare(text: str) -> str:
    """An option in small letters without a stop at its end."""
    return text.casefold().rstrip(".,;")
