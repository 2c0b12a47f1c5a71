"""reports/scoreboard: every number of the summaries is there, at its place."""

from __future__ import annotations

from instructune.evaluating import conditions, gates
from instructune.metrics import metrics
from instructune.reports import scoreboard
from instructune.reports.pages import joined
from tests.wellformed import cells


def summary(metric="exact_match", value=0.5, **more):
    return {
        "metric": metric,
        "value": value,
        "ci95": [0.25, 0.75],
        "n": 8,
        "n_expected": 8,
        "n_errors": 0,
        "by": None,
        "chance": None,
    } | more


PAIR = {"baseline": 0.75, "delta": -0.25, "delta_ci95": [-0.5, -0.125], "p": 0.01}


def test_without_a_baseline():
    found = scoreboard.scores([summary(chance=0.2, n_expected=9), summary("bleu", None, ci95=None)])
    assert cells(found) == [
        [
            ["metric", "on its scale", "value", "95 % interval", "rows", "chance"],
            ["exact match", "", "0.500", "0.250 to 0.750", "8 of 9", "0.200"],
            ["BLEU", "", "-", "-", "8", "-"],
        ]
    ]


def test_with_a_baseline():
    both = [summary(**PAIR), summary("token_f1", **PAIR, p_adjusted=0.06)]
    ((head, first, second),) = cells(scoreboard.scores(both))
    assert head[5:] == ["baseline", "difference", "", "its interval", "p"]
    assert first[5:] == ["0.750", "-0.250", "", "-0.500 to -0.125", "0.010"]
    assert second[-1] == "0.060"
    made = joined(scoreboard.scores(both))
    assert made.count('class="bad-text"') == 1  # the other is not worse after adjustment
    assert made.count('class="band bad"') == 1
    assert '<rect class="band bad" x="6.0" y="6" width="51.8"' in made  # -0.5 is the table's end


def test_slices_are_tables_of_their_own():
    of_task = [summary(by={"task": t}, value=v) for t, v in (("qa", 0.5), ("nli", 0.25))]
    crossed = [summary("bleu", 30.0, by={"task": None, "lang": "en"}, ci95=[20.0, 40.0])]
    found = [summary(), summary("bleu", 20.0), *of_task, *crossed]
    tables = cells(scoreboard.slices(found))
    assert [[row[0] for row in table] for table in tables] == [
        ["task", "qa", "nli"],
        ["task, lang", "None, en"],
    ]
    assert tables[1][1][2:] == ["30.00", "20.00 to 40.00", "8"]
    assert list(scoreboard.slices([summary()])) == []


def test_of_many_slices_the_first():
    many = [summary(by={"task": str(i)}) for i in range(100)]
    (table,) = cells(scoreboard.slices(many))
    assert len(table) == 61
    assert "and 40 more slices" in joined(scoreboard.slices(many))


def test_an_endless_scale_ends_with_what_is_there():
    one = summary("bits_per_byte", 8.0, ci95=[6.0, 10.0])
    made = joined(scoreboard.scores([one]))
    assert 'class="dot" cx="111.1"' in made  # 6 + 138 * 8 / 10.5


def test_gates():
    def verdict(text, **more):
        gate = conditions.parse(text, metrics.names(), "--fail-if")
        found = gates.judge(gate, [summary()])
        return found._replace(gate=conditions.Gate(gate.text, gate.comparisons, **more))

    texts = ("exact_match < 0.6", "exact_match < 0.1", "exact_match < 0.6 surely")
    ((head, *rows),) = cells(scoreboard.gates([verdict(text) for text in texts]))
    assert head == ["fails if", "outcome", "found"]
    assert [row[1] for row in rows] == ["failed", "passed", "not enough data"]
    assert [row[2] for row in rows] == ["0.5", "0.5", "0.5 in 0.25 .. 0.75"]
    ((head, row),) = cells(scoreboard.gates([verdict(texts[0], name="<n>", reason="<r>")]))
    assert (head[0], row[0], row[-1]) == ("gate", "<n>", "<r>")
    assert list(scoreboard.gates([])) == []


def test_what_was_kept_and_lost():
    counts = {"kept": 4, "lost": 3, "gained": 1, "missed": 2, "n": 10}
    fates = [
        {"by": {"task": name}, "metric": "exact_match", "p": 0.5, "p_adjusted": 0.75}
        | counts
        | more
        for name, more in (("qa", {"lost": 1, "gained": 3}), ("<nli>", {}))
    ]
    assert cells(scoreboard.fates(fates)) == [
        [
            ["task", "", "kept", "gained", "lost", "missed", "rows", "p"],
            ["<nli>", "", "4", "1", "3", "2", "10", "0.750"],
            ["qa", "", "4", "3", "1", "2", "10", "0.750"],
        ]
    ]
    assert list(scoreboard.fates([])) == []
