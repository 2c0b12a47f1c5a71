"""f1, with what class metrics share: scikit-learn's numbers, outside labels, the report."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics import _labels, metrics
from instructune.statistics.tables import exact_sums, unit_means

f1 = metrics["f1"]


def answered(true: list[str], predicted: list[str | None]) -> list[Answer]:
    pairs = enumerate(zip(true, predicted, strict=True))
    return [Answer(p, [t], "label", {"id": f"{i:04}"}) for i, (t, p) in pairs]


def value_of(metric, answers: list[Answer]) -> float:
    return float(metric.value(exact_sums(metric.statistics(answers))))


def test_reference_vectors():
    true, predicted = list("01221021"), list("02221011")
    answers = answered(true, predicted)
    report = f1.details(answers, exact_sums(f1.statistics(answers)))
    assert value_of(f1, answers) == pytest.approx(0.7777777777777777, abs=1e-12)
    assert report["micro"] == 0.75
    assert report["weighted"]["f1"] == pytest.approx(0.75, abs=1e-12)


def test_a_predicted_label_outside_the_references_is_a_class_of_its_own():
    answers = answered(list("0011"), list("0012"))
    assert value_of(f1, answers) == pytest.approx(0.5555555555555555, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcxyz")), min_size=1))
def test_all_averages_agree_with_scikit_learn(pairs):
    true, predicted = ([pair[i] for pair in pairs] for i in (0, 1))
    answers = answered(true, predicted)
    report = f1.details(answers, exact_sums(f1.statistics(answers)))
    for average in ("macro", "weighted"):
        expected = precision_recall_fscore_support(
            true, predicted, average=average, zero_division=0
        )[:3]
        found = [report[average][name] for name in ("precision", "recall", "f1")]
        assert found == pytest.approx(list(expected), abs=1e-9)
        if average == "macro":
            values = [value_of(metrics[name], answers) for name in ("precision", "recall", "f1")]
            assert values == pytest.approx(list(expected), abs=1e-9)
    labels = sorted(set(true))
    per_class = precision_recall_fscore_support(true, predicted, labels=labels, zero_division=0)
    for i, label in enumerate(labels):
        line = report["per_class"][label]
        assert list(line.values()) == pytest.approx([part[i] for part in per_class], abs=1e-9)
    columns = report["confusion"]["columns"]
    expected = confusion_matrix(true, predicted, labels=[*columns, "-"])[: len(labels), :-1]
    assert report["confusion"]["rows"] == labels
    assert report["confusion"]["counts"] == expected.tolist()


def test_micro_counts_errors_as_wrong_and_the_matrix_shows_them():
    answers = answered(["a", "a", "b", "b"], ["a", None, "b", " z "])
    report = f1.details(answers, exact_sums(f1.statistics(answers)))
    assert report == {
        "micro": 0.5,
        "macro": {
            "precision": pytest.approx(2 / 3),
            "recall": pytest.approx(1 / 3),
            "f1": pytest.approx(4 / 9),
        },
        "weighted": {
            "precision": pytest.approx(1.0),
            "recall": pytest.approx(0.5),
            "f1": pytest.approx(2 / 3),
        },
        "per_class": {
            "a": {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2},
            "b": {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2},
        },
        "confusion": {
            "rows": ["a", "b"],
            "columns": ["a", "b", "z", "(error)"],
            "counts": [[1, 0, 0, 1], [0, 1, 1, 0]],
        },
    }


def test_many_outside_labels_share_a_column_and_remain_classes():
    answers = answered(["a"] * 61, [f"x{i}" for i in range(60)] + ["a"])
    report = f1.details(answers, exact_sums(f1.statistics(answers)))
    assert report["confusion"]["columns"] == ["a", "(other)"]
    assert report["confusion"]["counts"] == [[1, 60]]
    assert value_of(f1, answers) == pytest.approx((2 / 62) / 61)


def test_of_several_references_the_one_that_was_met_is_true():
    answers = [
        Answer("b", ["a", "b"], "label", {"id": "1"}),
        Answer("c", ["a", "b"], "label", {"id": "2"}),
    ]
    counts = f1.details(answers, exact_sums(f1.statistics(answers)))["confusion"]
    assert counts == {
        "rows": ["a", "b"],
        "columns": ["a", "b", "c"],
        "counts": [[0, 0, 1], [0, 1, 0]],
    }


def test_outside_labels_are_counted_once_however_many_samples_an_id_has():
    rows = [("1", "x"), ("1", "x"), ("1", "a"), ("2", "y"), ("3", "x")]
    answers = [Answer(p, ["a"], "label", {"id": name}) for name, p in rows]
    table = unit_means(f1.statistics(answers), np.array([0, 3, 4]))
    assert _labels.ratios(exact_sums(table)).n_labels == pytest.approx(1 + 2, abs=1e-12)


def test_sparse_and_dense_statistics_are_the_same_numbers(monkeypatch):
    answers = answered(list("abcabcabca"), ["a", "x", "c", "b", None, "c", "a", "b", "y", "a"])
    dense = f1.statistics(answers)
    monkeypatch.setattr(_labels, "_DENSE", 0)
    sparse = f1.statistics(answers)
    assert isinstance(dense, np.ndarray)
    assert sparse.format == "csr"
    assert sparse.toarray().tolist() == dense.tolist()


def test_an_open_set_of_texts_is_refused():
    answers = answered([f"text {i}" for i in range(1001)], ["x"] * 1001)
    with pytest.raises(UserError, match="closed set of labels, found 1001"):
        f1.statistics(answers)
