"""Negative control on every real data set: junk scores no more than the chance that is printed."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from instructune.checking import failures
from instructune.errors import UserError
from instructune.evaluating import predictions, scoring
from instructune.evaluating.predictions import Answer
from instructune.evaluating.summaries import Plan, summarise
from instructune.metrics import metrics
from instructune.records import Record
from instructune.texts import prompt_of
from tests.test_real_data import CASES, read

MOST = 300  # rows of a set, so that chance is measured on the same rows
# Chance is one draw of what junk scores, and so is junk's score: both have a standard error, and
# the difference of two such draws is under 4 of its own in all but 1 of 30,000.
WOBBLE = 4 * 2**0.5
WORDS = (
    "",
    " \n",
    "yes",
    "I'm sorry, but I can't help with that.",
    "As an AI language model, I cannot do that.",
    "对不起，我无法回答这个问题。",
)

pytestmark = pytest.mark.slow


def answers_of(source: str, how: dict[str, Any], folder: Any) -> list[Answer]:
    """Rows with references of the set's commonest kind."""
    records, _, _ = read(str(folder / source), **how)
    made = []
    for record in records:
        if "references" not in record and record.references() == [""]:
            continue  # a tool call
        row = {key: value for key, value in record.items() if key != "checks"}
        kind, references = predictions._references(Record(row))
        made.append(Answer(None, references, kind, row))
    kinds = Counter(answer.kind for answer in made if answer.kind != "none")
    if not kinds:
        return []
    kind = kinds.most_common(1)[0][0]
    made = [answer for answer in made if answer.kind == kind]
    return random.Random(0).sample(made, min(MOST, len(made)))


def junk_of(answers: list[Answer]) -> dict[str, list[Any]]:
    """What is said to each row by its name: nothing of it has to do with what was asked."""
    kind, rng = answers[0].kind, random.Random(1)
    given = [rng.choice(answer.references) for answer in answers]
    shuffled = rng.sample(given, len(given))
    if kind == "number":
        same = {f"constant {value}": value for value in (0, sum(given) / len(given), max(given))}
        return {"shuffled": shuffled} | {told: [n] * len(given) for told, n in same.items()}
    if kind == "tags":
        tags = Counter(tag for answer in answers for tag in answer.references[0])
        made = {
            f"all {tag}": [[tag] * len(answer.references[0]) for answer in answers]
            for tag, _ in tags.most_common(6)
        }
        pairs = zip(shuffled, answers, strict=True)
        made["shuffled"] = [(s * len(a.references[0]))[: len(a.references[0])] for s, a in pairs]
        return made | {repr(text): [text] * len(given) for text in WORDS}
    words = Counter(word for text in given for word in text.split())
    frequent = [word for word, _ in words.most_common(60)]
    texts = [text for text, _ in Counter(given).most_common(3)]
    texts += [" ".join(frequent[:size]) for size in (5, 20, 60)] + [max(given, key=len)]
    prompts = [prompt_of(Record(answer.row)) for answer in answers]
    turns = [prompt.split("\n")[-1] for prompt in prompts]
    made = {f"constant {i}": [text] * len(given) for i, text in enumerate(texts)}
    made |= {"shuffled": shuffled, "echo": prompts, "echo of the last line": turns}
    made["prompt of another"] = rng.sample(prompts, len(prompts))
    return made | {repr(text): [text] * len(given) for text in WORDS}


def said(answers: list[Answer], texts: list[Any]) -> list[Answer]:
    return [answer._replace(prediction=text) for answer, text in zip(answers, texts, strict=True)]


@pytest.mark.parametrize(("source", "how", "outcome"), CASES)
def test_junk_scores_at_most_chance(shared, source, how, outcome):
    answers = answers_of(source, how, shared)
    if not answers:
        pytest.skip("no row has a reference")
    names, _ = scoring.choose((), (), answers)
    beaten = []
    for told, texts in junk_of(answers).items():
        for found in summarise(Plan(names, (), 100, 0, {}), said(answers, texts), None):
            up = metrics.facts(found["metric"])["HIGHER_IS_BETTER"]
            over = (found["value"] - found["chance"]) * (1 if up else -1)
            low, high = found["ci95"]
            if over > WOBBLE * (high - low) / 3.92 + 1e-12:
                beaten.append((told, found["metric"], found["value"], found["chance"]))
            if told in ("''", "' \\n'") and over > 0:
                beaten.append((told, found["metric"], found["value"], "an empty answer"))
    assert beaten == []


@pytest.mark.parametrize(("source", "how", "outcome"), CASES)
def test_nothing_but_errors_has_no_score(shared, source, how, outcome, write):
    answers = answers_of(source, how, shared)
    if not answers:
        pytest.skip("no row has a reference")
    rows = [answer.row | {"prediction": None} for answer in answers]
    found = predictions.read_predictions(write("p.jsonl", rows))
    with pytest.raises(UserError, match="every prediction is an error"):
        predictions.answers(found)


@pytest.mark.parametrize("prediction", ["", " \n", None])
@pytest.mark.parametrize("loose", [False, True])
def test_no_answer_fails_every_check_of_ifeval(shared, prediction, loose):
    records, _, _ = read(str(shared / "ifeval/input_data.jsonl"), format="ifeval")
    asked = [(record, check) for record in records for check in record["checks"]]
    assert len(asked) == 834
    passed = [
        (record["id"], check)
        for record, check in asked
        if not failures(prediction, [check], record, loose=loose)
    ]
    assert passed == []


@pytest.mark.parametrize("spec", ["checks", "checks_each", "checks:loose=true"])
def test_what_suits_any_question_scores_at_most_chance_on_ifeval(shared, spec):
    records, _, _ = read(str(shared / "ifeval/input_data.jsonl"), format="ifeval")
    answers = [Answer(None, [], "none", record) for record in records]
    texts = [*WORDS[2:], "ok", "a b c", "YES!", '"yes"', "* yes\n* no\n* perhaps"]
    beaten = {}
    for text in texts:
        made = said(answers, [text] * len(answers))
        (found,) = summarise(Plan((spec,), (), 100, 0, {}), made, None)
        low, high = found["ci95"]
        if found["value"] - found["chance"] > WOBBLE * (high - low) / 3.92:
            beaten[text] = (found["value"], found["chance"])
    assert beaten == {}
