"""Prediction rows in, answers out: each prediction beside its references, checked and joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from instructune.errors import UserError
from instructune.files import open_input
from instructune.jsonl import BadRow, Row, read_rows
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.records import FIELDS, PREDICTION_FIELDS, Record, key_of

Key = tuple[str, int]

_SHOWN = 3  # keys or places named in a message
# where the references of a row stand, by precedence
_REFERENCES = ("references", "label", "tags", "messages", "relations", "entities")
# kinds of predictions by kind of references; spans and triples may also be told in words
_WANTED = {
    "label": ("text",),
    "none": ("text",),
    "tags": ("labels", "text"),
    "entities": ("labels", "text"),
    "relations": ("labels", "text"),
}
_SPELT = {"text": "a string", "labels": "a list", "number": "a number"}
# what a model said of a row; a record never overwrites it
_ANSWERED = frozenset(
    [*PREDICTION_FIELDS, "scores", "spans", "label_scores", "token_logprobs", "reference_logprob"]
)


class Answer(NamedTuple):
    """What a metric sees of a row; `prediction` is None on an error, which counts as wrong.

    `kind` says what the references are: text, label, labels, number, tags, entities, relations,
    or none where the row has no references, for metrics that need none.
    """

    prediction: Any
    references: list[Any]
    kind: str = "text"
    row: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Predictions:
    """A file of predictions: rows in file order, each key once, and the hash of its bytes."""

    name: str
    rows: list[Row]
    sha256: str


def read_predictions(name: str) -> Predictions:
    """Read rows with `id` and `prediction`; a bad row or a repeated key stops with its place."""
    rows: list[Row] = []
    bad: list[BadRow] = []
    seen: dict[Key, str] = {}
    with open_input(name) as source:
        for row in read_rows(source.stream, name):
            checked = _checked(row, seen) if isinstance(row, Row) else row
            if isinstance(checked, BadRow):
                bad.append(checked)
            elif checked:
                rows.append(checked)
        digest = source.sha256()
        source.check_unchanged()
    _refuse(bad, "a prediction row is an object with id, prediction and, for several, sample")
    if not rows:
        raise UserError(
            "no predictions", where=name, hint="a producer that failed leaves an empty pipe"
        )
    return Predictions(name, rows, digest)


def _checked(row: Row, seen: dict[Key, str]) -> Row | BadRow:
    value = row.value
    if type(value.get("id")) is int:  # a number becomes the text that `prepare` makes of it
        value["id"] = str(value["id"])
    sample = value.get("sample", 0)
    if "id" not in value:
        reason = "has no id"
    elif type(value["id"]) is not str or not value["id"]:
        reason = f"id must be a non-empty string, got {value['id']!r}"
    elif type(sample) is not int or sample < 0:
        reason = f"sample must be a whole number from 0 up, got {sample!r}"
    elif "prediction" not in value:
        reason = f"id {value['id']!r} has no prediction (null stands for an error)"
    elif before := seen.get(key_of(value)):
        reason = f"id {_spelled(key_of(value))} is repeated, first at {before}"
    else:
        seen[key_of(value)] = row.where
        return row
    return BadRow(row.where, reason, "")


def read_references(name: str) -> tuple[dict[str, Record], Tally]:
    """The records of a file of any known format by id, and the account of its rows."""
    tally = Tally()
    return {record["id"]: record for record in read_records([name], Reading(), tally)}, tally


def join_references(
    predictions: Predictions, name: str, records: Mapping[str, Record]
) -> Predictions:
    """Give each row the fields of its record in the file `name`.

    Both sides must hold the same ids. Where a field is on both, the record's stands, except for
    what the model answered.
    """
    _same(predictions.name, {row.value["id"] for row in predictions.rows}, name, set(records))
    rows = []
    for row in predictions.rows:
        record = records[row.value["id"]].items()
        fields = {key: value for key, value in record if key not in _ANSWERED}
        rest = {key: value for key, value in row.value.items() if key not in fields}
        rows.append(Row(row.where, fields | rest))
    return replace(predictions, rows=rows)


def answers(predictions: Predictions, *, needed: bool = True) -> list[Answer]:
    """Each row's prediction beside its references.

    A row without references is an error, but where they are not `needed` or it has checks.
    """
    found, bad = [], []
    for row in predictions.rows:
        record = Record(row.value)
        try:
            kind, references = _references(record)
            if not references and needed and not record.get("checks"):
                raise ValueError(f"id {record['id']!r} has no references")
            prediction = _prediction(record, kind)
        except ValueError as error:
            bad.append(BadRow(row.where, str(error), ""))
        else:
            found.append(Answer(prediction, references, kind, record))
    _refuse(bad, _remedy(bad))
    if all(answer.prediction is None for answer in found):
        raise UserError(
            f"every prediction is an error ({len(found)} rows), so there is nothing to score",
            where=predictions.name,
        )
    return found


def _remedy(bad: Sequence[BadRow]) -> str | None:
    """What helps with the first of these rows."""
    reason = bad[0].reason if bad else ""
    if reason.endswith("has no references"):
        return "name the file that has the references: --references FILE"
    if "prediction must be" in reason:
        return "references tell what is predicted: texts, a label, a list of labels, or a number"
    return None


def paired(predictions: Predictions, found: list[Answer], baseline: Predictions) -> list[Answer]:
    """The baseline's predictions in the order of `found`, each with the references of its pair.

    Both files must hold the same keys, and a baseline row that brings references the same ones.
    """
    others = {key_of(row.value): row for row in baseline.rows}
    keys = {key_of(row.value) for row in predictions.rows}
    _same(predictions.name, keys, baseline.name, set(others))
    pairs, bad = [], []
    for answer in found:
        row = others[key_of(answer.row)]
        try:
            _, own = _references(Record(row.value))
            if own and own != answer.references:
                raise ValueError(
                    f"id {row.value['id']!r} has other references than in {predictions.name}"
                )
            prediction = _prediction(row.value, answer.kind)
        except ValueError as error:
            bad.append(BadRow(row.where, str(error), ""))
        else:
            asked = {key: value for key, value in answer.row.items() if key not in _ANSWERED}
            pairs.append(answer._replace(prediction=prediction, row=Record(asked | row.value)))
    _refuse(bad, "score both against one file: --references FILE")
    if all(answer.prediction is None for answer in pairs):
        raise UserError(
            f"every prediction is an error ({len(pairs)} rows), so there is nothing to compare",
            where=baseline.name,
        )
    return pairs


def _references(record: Record) -> tuple[str, list[Any]]:
    """The kind of a row's references and the references; ValueError says what is wrong."""
    name = next((name for name in _REFERENCES if _answers(record, name)), None)
    if name is None:
        return "none", []
    if reason := FIELDS[name].check(record[name]):
        raise ValueError(f"{name}{'' if reason.startswith('[') else ' '}{reason}")
    if name in ("relations", "entities"):
        return name, [record[name]]
    found = record.references()
    if name == "messages":
        if found == [""]:
            raise ValueError(f"id {record['id']!r}: its reference answer is a tool call, not text")
        return "text", found
    if name == "tags":
        return "tags", found
    kinds = {_kind(reference) for reference in found}
    if len(kinds) > 1 or None in kinds:
        raise ValueError(f"{name} must be strings, numbers or lists, and all of one type")
    kind = kinds.pop() or ""
    return "label" if (name, kind) == ("label", "text") else kind, found


def _answers(record: Record, name: str) -> bool:
    """Whether the field is there and says what the answer is; a prompt alone does not."""
    if name not in record or name != "messages":
        return name in record
    return bool(FIELDS[name].check(record[name])) or record.answer() is not None


def _kind(reference: Any) -> str | None:
    kinds = {str: "text", list: "labels", int: "number", float: "number"}
    return kinds.get(type(reference))


def _prediction(row: Mapping[str, Any], kind: str) -> Any:
    """The row's prediction, None on an error; ValueError where its type is not the references'."""
    prediction = row["prediction"]
    if prediction is None or row.get("finish_reason") == "error":
        return None
    wanted = _WANTED.get(kind, (kind,))
    if _kind(prediction) not in wanted:
        what = " or ".join(_SPELT[kind] for kind in wanted)
        raise ValueError(f"id {row['id']!r}: prediction must be {what}, as its references are")
    return prediction


def _refuse(bad: list[BadRow], hint: str | None) -> None:
    if not bad:
        return
    places = ", ".join(row.where for row in bad[1 : 1 + _SHOWN])
    rest = " …" if len(bad) > 1 + _SHOWN else ""
    more = f"\n  {len(bad)} bad rows in all: also {places}{rest}" if len(bad) > 1 else ""
    raise UserError(bad[0].reason + more, where=bad[0].where, hint=hint)


def _same(name: str, keys: set[Any], other_name: str, other_keys: set[Any]) -> None:
    """Refuse files with different keys, naming some: a metric over a part is another metric."""
    sides = [(name, keys - other_keys), (other_name, other_keys - keys)]
    told = [f"{len(only)} only in {where} ({_some(only)})" for where, only in sides if only]
    if told:
        raise UserError(
            f"the two files do not hold the same ids: {', '.join(told)}",
            where=name,
            hint="score what belongs together: the same rows on both sides",
        )


def _some(keys: Iterable[Any]) -> str:
    ordered = sorted(keys)
    return ", ".join(map(_spelled, ordered[:_SHOWN])) + (" …" if len(ordered) > _SHOWN else "")


def _spelled(key: str | Key) -> str:
    if isinstance(key, str):
        return repr(key)
    return f"{key[0]!r} sample {key[1]}"
