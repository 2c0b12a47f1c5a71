"""sources: every row of every source is accounted for, good or bad."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.jsonl import BadRow
from instructune.reading import encodings
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally

GOOD = {"text": "good"}


def read(names, reading=None, **how):
    """(records, tally, rejected rows)."""
    reading = reading or Reading(**how)
    tally, rejected = Tally(), []
    records = list(read_records(names, reading, tally, rejected.append))
    tally.check()
    return records, tally, rejected


def test_records_come_in_order_with_their_origin(write):
    one = write("one.jsonl", [{"text": "a"}, {"text": "b"}])
    two = write("two.json", '[\n{"text":"c"}\n]')
    records, tally, _ = read([one, two])
    assert [(r["text"], r["origin"]) for r in records] == [
        ("a", f"{one}:1"),
        ("b", f"{one}:2"),
        ("c", f"{two}:2"),
    ]
    assert tally.as_dict() == {"rows_in": 3, "out": 3, "formats": {"text": 3}}
    assert list(tally.inputs) == [one, two]


def test_an_origin_of_its_own_stays(write):
    (record,), *_ = read([write("f", [{"text": "a", "origin": "wiki:3"}])])
    assert record["origin"] == "wiki:3"


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("rows.jsonl", '{"text":"a"}\n{"text":"b"}\n', "ab"),
        ("rows", '{"text":"a"}\n{"text":"b"}\n', "ab"),
        ("rows.json", '{"text":"a"}\n{"text":"b"}\n', "ab"),  # the extension lies
        ("rows.json", '{"text":"a"}', "a"),
        ("rows.json", '{\n"text":"a"\n}', "a"),
        ("rows.JSON", '{"text":\n"a"}', "a"),
        ("rows", '{\n  "text": "a"\n}\n', "a"),
        ("rows.txt", ' \n[{"text":"a"},\n{"text":"b"}]', "ab"),
        ("rows.json", '\ufeff[\n{"text":"a"}]', "a"),
        ("rows.v2.ndjson", '\ufeff{"text":"a"}\r\n\r\n', "a"),
    ],
)
def test_the_container_is_told_by_extension_and_first_bytes(write, name, content, texts):
    records, *_ = read([write(name, content)])
    assert "".join(record["text"] for record in records) == texts


def test_an_array_under_a_lines_extension_is_a_bad_line(write):
    with pytest.raises(UserError, match=r"rows\.jsonl:1: not a JSON object but an array"):
        read([write("rows.jsonl", '[{"text":"a"}]')])


def test_the_first_bad_row_stops_and_all_are_counted(write):
    rows = (
        '{"text":"a"}\nx\n{"text":""}\n{"text":"b","id":5}\n{"text":" "}\ny\nz\nw\n{"text":"c"}\n'
    )
    name = write("f.jsonl", rows)
    got = []
    tally = Tally()
    with pytest.raises(UserError) as caught:
        for record in read_records([name], Reading(), tally):
            got.append(record["text"])  # noqa: PERF401
    assert got == ["a"]  # nothing after the first bad row
    assert caught.value.code == 65
    assert caught.value.where == f"{name}:2"
    assert caught.value.reason == (
        "not JSON (expecting value at column 1)\n"
        "  6 bad rows in all:\n"
        f"    not JSON …: {name}:2, {name}:6, {name}:7 and 1 more\n"
        f"    text is empty: {name}:3, {name}:5"
    )
    assert caught.value.hint == (
        "mend them, or use instructune prepare with --bad-rows quarantine --rejects FILE"
    )
    assert tally.rows_in == 9
    tally.check()


def test_one_bad_row_is_told_in_one_line(write):
    name = write("f.jsonl", 'x\n{"text":"a"}\n')
    with pytest.raises(UserError) as caught:
        read([name])
    assert caught.value.reason == "not JSON (expecting value at column 1)"


def test_quarantine_moves_bad_rows_with_reason_and_text_as_it_stood(write):
    lines = [b'{"text": "a"}', b'{"text":  1.50}', b"x", b'{"text":"\xff"}', b'{"text":"b"}']
    name = write("f.jsonl", b"\r\n".join(lines))
    records, tally, rejected = read([name], bad_rows="quarantine")
    assert [record["text"] for record in records] == ["a", "b"]
    assert rejected == [
        BadRow(f"{name}:2", "text must be a string", '{"text":  1.50}'),
        BadRow(f"{name}:3", "not JSON (expecting value at column 1)", "x"),
        BadRow(f"{name}:4", "not UTF-8 (byte 0xff at offset 9)", '{"text":"\\xff"}'),
    ]
    assert tally.as_dict() == {
        "rows_in": 5,
        "out": 2,
        "rejected": {"text must be a string": 1, "not JSON …": 1, "not UTF-8 …": 1},
        "formats": {"text": 2},
    }


def test_when_every_row_is_bad_there_is_nothing_to_write(write):
    name = write("f.jsonl", 'x\n\n{"text":""}\n')
    with pytest.raises(UserError) as caught:
        read([name], bad_rows="quarantine")
    assert caught.value.code == 65
    assert caught.value.where == f"{name}:1"
    assert "2 bad rows in all" in caught.value.reason
    assert caught.value.hint == "every row is bad, so nothing was written"


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "[]", " [ ] "])
def test_no_rows_is_an_error(write, content):
    name = write("f", content)
    with pytest.raises(UserError) as caught:
        read([name], bad_rows="quarantine")
    assert (caught.value.reason, caught.value.where, caught.value.code) == ("no rows", name, 65)


def test_a_broken_array_stops_in_quarantine_too(write):
    name = write("f.json", '[{"text":"a"},\n{"text":"b"')
    with pytest.raises(UserError, match=r"f\.json:2: .*the rest is unread"):
        read([name], bad_rows="quarantine")


def test_a_cut_archive_stops_in_quarantine_too(write):
    import gzip

    name = write("f.jsonl.gz", gzip.compress(b'{"text":"a"}\n' * 1000)[:-10])
    with pytest.raises(UserError, match=r"f\.jsonl\.gz: broken gzip data"):
        read([name], bad_rows="quarantine")


def test_ids_are_unique_over_all_sources(write):
    one, two = write("one", [{"text": "a", "id": 1}]), write("two", [{"text": "b", "id": "1"}])
    with pytest.raises(UserError, match=rf"{two}:1: id '1' is repeated \(--id hash"):
        read([one, two])
    assert [r["id"] for r in read([one, two], ids="prefix")[0]] == ["one:1", "two:1"]


def test_a_rejected_row_does_not_use_up_its_id(write):
    name = write("f", [{"text": "", "id": "a"}, {"text": "x", "id": "a"}])
    records, *_ = read([name], bad_rows="quarantine")
    assert [record["id"] for record in records] == ["a"]


def test_a_source_that_changes_while_it_is_read_is_refused(write):
    name = write("f", [{"text": "a"}, {"text": "b"}])
    records = read_records([name], Reading(), Tally())
    next(records)
    with open(name, "ab") as more:
        more.write(b'{"text":"c"}\n')
    with pytest.raises(UserError, match="the file changed while it was read"):
        list(records)


def test_wrong_settings_are_told_before_anything_is_opened():
    for reading in (
        Reading(format="alpcaa"),
        Reading(field=("prompt",)),
        Reading(field=("=x",)),
        Reading(field=("x=",)),
        Reading(field=("prompt=a", "prompt=b")),
        Reading(field=("prompt=a", "text=a")),
        Reading(field=("promt=a",)),
    ):
        with pytest.raises(UserError) as caught:
            read_records(["does not exist"], reading, Tally())
        assert caught.value.code == 2
    with pytest.raises(UserError, match="standard input can be read only once"):
        read_records(["-", "a", "-"], Reading(), Tally())


def test_columns_may_hold_an_equals_sign():
    assert Reading(field=("text=a=b",)).columns() == {"a=b": "text"}


def test_directories_and_patterns_are_read_in_order(write, tmp_path):
    for name in "d-2.jsonl", "d-10.jsonl":
        write(name, [{"text": name}])
    records, tally, _ = read([str(tmp_path)])
    assert [record["text"] for record in records] == ["d-10.jsonl", "d-2.jsonl"]
    assert list(tally.inputs) == [str(tmp_path / name) for name in ("d-10.jsonl", "d-2.jsonl")]
    assert read([str(tmp_path / "d-?.jsonl")])[1].rows_in == 1
    with pytest.raises(UserError, match="no file matches") as caught:
        read_records([str(tmp_path / "*.csv")], Reading(), Tally())
    assert caught.value.code == 66


def test_containers_and_encodings_as_named(write):
    name = write("f.txt", "好\tx\n".encode("gb18030"))
    (record,), *_ = read([name], container="tsv:header=text+label", encoding="gb18030")
    assert (record["text"], record["label"]) == ("好", "x")
    for how in ({"container": "tsw"}, {"container": "tsv:x=1"}, {"encoding": "gb18300"}):
        with pytest.raises(UserError) as caught:
            read_records([name], Reading(**how), Tally())
        assert caught.value.code == 2


def test_each_of_several_records_is_judged_on_its_own(write):
    instances = [{"output": "a"}, {"output": ""}, {"output": "b"}]
    name = write("f", [{"id": "t", "instruction": "i", "instances": instances}, GOOD])
    records, tally, (bad,) = read([name], bad_rows="quarantine")
    assert [record.get("id") for record in records[:2]] == ["t-1", "t-3"]
    assert (bad.where, bad.reason) == (f"{name}:1", "messages ends in an empty answer")
    assert json.loads(bad.text)["id"] == "t-2"
    assert tally.as_dict() == {
        "rows_in": 2,
        "out": 3,
        "added": {"one row, several records": 2},
        "rejected": {"messages ends in an empty answer": 1},
        "formats": {"self_instruct": 1, "text": 1},
    }


def test_hostile_reasons_stay_short_and_few(write):
    rows = [{"messages": [{"role": "x" * 100_000, "content": "c"}]}, GOOD]
    _, _, (bad,) = read([write("f", rows)], bad_rows="quarantine")
    assert len(bad.reason) <= 1000
    names = [chr(0x4E00 + n) for n in range(500)]
    rows = [{"text": "t", "label": [], "id": None, "kind": f"k{name}"} for name in names]
    more = [{"text": "t", "fields": {name: 1}, name: 1, "label": 1} for name in names]
    _, tally, _ = read([write("g", [GOOD, *rows, *more])], bad_rows="quarantine")
    assert len(tally.rejected) <= 201


def test_every_distinct_cause_is_counted_up_to_a_limit(write, monkeypatch):
    monkeypatch.setattr("instructune.reading.tally._CAUSES", 2)
    rows = [GOOD, 5, {"text": ""}, {"text": None}, {"text": 5}, "s"]
    _, tally, _ = read([write("f", rows)], bad_rows="quarantine")
    assert dict(tally.rejected) == {
        "not a JSON object but a number": 1,
        "text is empty": 1,
        "other reasons": 3,
    }


def test_numbers_that_do_not_add_up_are_our_bug():
    tally = Tally(rows_in=3, out=1)
    tally.dropped["short"] += 1
    with pytest.raises(AssertionError, match="3 came in or were added, 2 accounted for"):
        tally.check()
    tally.rejected["bad"] += 1
    tally.check()
    tally.added["copies"] += 2
    tally.out += 2
    tally.check()


line = st.sampled_from(
    [
        b'{"text":"a"}',
        b'{"text":"b","id":"x"}',
        b'{"messages":[{"role":"user","content":"q"}]}',
        b'{"instruction":"i","output":"o","label":1}',
        b"",
        b"  ",
        b"null",
        b"{",
        b'{"text":NaN}',
        b'{"text":"a","text":"b"}',
        b"\xff\xfd",
        b'{"a":1}{"b":2}',
        b"\x00",
    ]
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(line | st.binary(max_size=12), max_size=12), min_size=1, max_size=3))
def test_the_numbers_add_up_on_any_dirt(write, files):
    names = [
        write(f"f{n}.jsonl", b"".join(one + b"\n" for one in lines))
        for n, lines in enumerate(files)
    ]
    for lines in files:  # two bytes can say that a file is UTF-16, whose lines are others
        assume(encodings._wide(b"".join(one + b"\n" for one in lines)) is None)
    whole = b"".join(one + b"\n" for lines in files for one in lines)
    physical = whole.count(b"\n")
    tally, rejected = Tally(), []
    reading = Reading(bad_rows="quarantine")
    try:
        records = list(read_records(names, reading, tally, rejected.append))
    except UserError:
        assert tally.out == 0
        records = []
    tally.check()
    assert tally.rows_in + tally.blank == physical
    assert tally.out == len(records)
    assert tally.rejected.total() == len(rejected)
    assert tally.rows_in == len(records) + len(rejected)
    assert len({record["id"] for record in records}) == len(records)
    assert not {r["origin"] for r in records} & {row.where for row in rejected}
    json.dumps(tally.as_dict())
