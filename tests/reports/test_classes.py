"""reports/classes: the per-class report and the confusion matrix, small and large."""

from __future__ import annotations

import re

from instructune.evaluating.measuring import Metric
from instructune.reports import classes
from instructune.reports.pages import joined, page
from instructune.statistics.tables import exact_sums
from tests.scored import answered
from tests.wellformed import elements


def section(answers, by=None):
    metric = Metric("f1", answers)
    details = metric.details(answers, exact_sums(metric.statistics(answers)))
    made = joined(classes.sections([{"metric": "f1", "by": by, "details": details}]))
    elements(page("t", [made]))
    return made


EVIL = '"><script>'


def test_a_few_labels():
    made = section(answered(["a", "b", EVIL, None], ["a", EVIL, EVIL, "a"], "label"))
    assert "<script>" not in made
    heads = re.findall(r'<th title="(.*?)"', made)
    shown = "&quot;&gt;&lt;script&gt;"
    assert heads == [shown, "a", "b", "(error)", shown, "a"]
    cells = re.findall(r"<td (?:style|class)=\"([^\"]*)\">([^<]*)</td>", made.partition("heat")[2])
    assert [text for _, text in cells][:8] == ["1", "·", "1", "·", "·", "1", "·", "1"]
    assert cells[0][0] == "background: rgb(var(--good-fill) / 0.30)"
    assert cells[2][0] == "background: rgb(var(--bad-fill) / 0.30)"
    assert "The commonest mistakes (2 of 2)" in made


def test_labels_by_how_often_they_are_true():
    made = section(answered(["a", "b", "b"], ["a", "b", "b"], "label"))
    table = made.partition("Which label")[0]
    assert table.index(">b</td>") < table.index(">a</td>")
    assert '>1.000</td><td class="number">1.000</td><td class="number">1.000</td>' in table
    assert "commonest" not in made


def test_many_labels_are_drawn_without_numbers():
    labels = [f"label {i:02}" for i in range(30)]
    made = section(answered([*labels[:-1], labels[0]], labels, "label"))
    assert 'class="heat"' not in made
    assert made.count('class="good"') == 29
    assert "<summary>Each label</summary>" in made
    assert '<td>label 29</td><td>label 00</td><td class="number">1</td>' in made


def test_too_many_labels_are_told_by_their_mistakes():
    labels = [f"label {i:03}" for i in range(300)]
    made = section(answered([labels[-1], *labels[:-1]], labels, "label"))
    assert "<rect" not in made.partition("Which label")[2]
    assert "The commonest mistakes (20 of 300)" in made
    assert "and 200 rarer labels" in made


def test_nothing_without_labels_or_of_a_slice():
    assert joined(classes.sections([{"metric": "bleu", "by": None}])) == ""
    assert section(answered(["a"], ["a"], "label"), by={"task": "x"}) == ""
