"""Every real data set through the reader: which options, what came out, what was left and why."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import pytest

from instructune.errors import UserError
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.records import fault

BROKEN_TAGS = "tags with an entity that begins or goes on where none can"
SEVERAL = "one row, several records"
FIRST_TURN = "the first of several prompts is asked, all stay in turns"


class Outcome(NamedTuple):
    """Rows in, records out, the one format, and what else was counted."""

    rows: int
    out: int
    format: str
    rejected: dict[str, int] = {}
    notes: dict[str, int] = {}
    blank: int = 0


def case(source: str, outcome: Outcome, **how: Any) -> Any:
    named = ",".join(filter(None, (how.get("container"), how.get("format"))))
    return pytest.param(source, how, outcome, id=f"{source} {named}".strip())


CASES = [
    case("banking77/test.csv", Outcome(3080, 3080, "classification")),
    case("banking77/categories.json", Outcome(77, 77, "text"), container="json:wrap=text"),
    case("blns/blns.txt", Outcome(515, 515, "text", blank=227), container="text:comment=#"),
    case(
        "blns/blns.json",
        Outcome(515, 513, "text", {"text is empty": 2}),
        container="json:wrap=text",
    ),
    case(
        "blns/blns.base64.json",
        Outcome(676, 675, "text", {"text is empty": 1}),
        container="json:wrap=text",
    ),
    case(
        "clickbait",
        Outcome(1115, 1115, "classification", blank=885),
        container="text:file_as=label",
    ),
    case("clinc150/data_small_trim.json", Outcome(1, 2550, "split_pairs"), format="split_pairs"),
    case(
        "crows_pairs/crows_pairs_anonymized.csv",
        Outcome(
            1508, 1508, "pair", notes={"column 'annotations' kept as fields.annotations": 1508}
        ),
        container="csv:unnamed=id",
        format="pair",
        field=("sentence1=sent_more", "sentence2=sent_less", "label=stereo_antistereo"),
    ),
    case("data_juicer/demo-dataset.csv", Outcome(6, 6, "text")),
    case("data_juicer/demo-dataset.tsv", Outcome(6, 6, "text")),
    case("data_juicer/demo-dataset.parquet", Outcome(6, 6, "text")),
    case("data_juicer/demo-dataset.jsonl", Outcome(6, 6, "text")),
    case("data_juicer/demo-dataset-deduplication.jsonl", Outcome(14, 14, "text")),
    case("data_juicer/demo-dataset-chatml.jsonl", Outcome(4, 4, "messages")),
    case(
        "data_juicer/demo-dataset-annotation-human-preference.jsonl",
        Outcome(10, 10, "preference"),
        format="preference",
        field=("chosen=answer1", "rejected=answer2"),
    ),
    case("dolly/dolly_sample.jsonl", Outcome(151, 151, "completion")),
    case("emollm/aiwei_60.json", Outcome(60, 60, "xtuner")),
    case("fastchat_dummy/dummy_conversation.json", Outcome(500, 500, "sharegpt")),
    case("gsm8k/train_500.jsonl", Outcome(500, 500, "qa")),
    case(
        "hh_rlhf/harmless_test_300.jsonl",
        Outcome(300, 299, "preference", {"messages ends in an empty answer": 1}),
    ),
    case(
        "humaneval/HumanEval.jsonl.gz",
        Outcome(164, 164, "completion"),
        field=("completion=canonical_solution", "id=task_id"),
    ),
    case(
        "ifeval/input_data.jsonl",
        Outcome(541, 541, "completion"),
        format="completion",
        field=("id=key",),
    ),
    case("kdconv/travel_dev_40.json", Outcome(40, 40, "alternating"), format="alternating"),
    case("ldnoobw/en", Outcome(403, 403, "text")),
    case("ldnoobw/zh", Outcome(319, 319, "text")),
    case("llama_factory/identity.json", Outcome(91, 91, "alpaca")),
    case("llama_factory/dpo_en_demo.json", Outcome(149, 149, "preference")),
    case("llama_factory/dpo_zh_demo.json", Outcome(150, 150, "preference")),
    case("llama_factory/v1_dpo_demo.jsonl", Outcome(10, 10, "preference")),
    case("llama_factory/kto_en_demo.json", Outcome(200, 200, "kto"), format="kto"),
    case("llama_factory/glaive_toolcall_en_demo.json", Outcome(200, 200, "sharegpt")),
    case(
        "llama_factory/glaive_toolcall_zh_demo.json",
        Outcome(
            200, 199, "sharegpt", {"messages[N] is a tool's answer without a call before it": 1}
        ),
    ),
    case("llama_factory/reason_tool_use_demo_50.jsonl", Outcome(50, 50, "messages")),
    case(
        "mbpp/sanitized-mbpp_train.json",
        Outcome(120, 120, "completion"),
        field=("completion=code", "id=task_id"),
    ),
    case("mt_bench/question.jsonl", Outcome(80, 80, "turns", notes={FIRST_TURN: 80})),
    case("nq_open/NQ-open.dev_1000.jsonl", Outcome(1000, 1000, "qa")),
    case("oasst/en_message_60.jsonl", Outcome(60, 321, "tree")),
    case("oasst/en_message_60.jsonl", Outcome(60, 60, "tree_best"), format="tree_best"),
    case("oasst/en_tree_20.jsonl", Outcome(20, 116, "tree")),
    case("oasst/en_tree_20.jsonl", Outcome(20, 20, "tree_best"), format="tree_best"),
    case("oasst/en_text_100.jsonl", Outcome(100, 100, "text"), container="jsonl:wrap=text"),
    case("openai_cookbook/toy_chat_fine_tuning.jsonl", Outcome(5, 5, "messages")),
    case("scitldr/dev_200.jsonl", Outcome(200, 200, "source_target")),
    case("self_instruct_seed/seed_tasks.jsonl", Outcome(175, 175, "self_instruct")),
    case("sib200/eng_Latn_train.tsv", Outcome(701, 701, "classification")),
    case("sib200/eng_Latn_dev.tsv", Outcome(99, 99, "classification")),
    case("sib200/zho_Hans_train.tsv", Outcome(701, 701, "classification")),
    case("sib200/zho_Hans_dev.tsv", Outcome(99, 99, "classification")),
    case("smile_zh", Outcome(40, 40, "messages"), container="json:whole=messages"),
    case("super_ni", Outcome(5, 746, "super_ni")),
    case(
        "tatoeba_en_zh/cmn_sample.txt",
        Outcome(2100, 2100, "source_target"),
        container="tsv:header=source+target+attribution",
    ),
    case(
        "vcsum/short_dev_10.txt",
        Outcome(10, 10, "source_target"),
        format="source_target",
        field=("source=context", "target=discussion"),
    ),
    case(
        "weibo_ner/weiboNER_2nd_conll.train",
        Outcome(1350, 1350, "tagged", notes={BROKEN_TAGS: 8}, blank=1350),
        container="conll:cut=1",
    ),
    case("weibo_ner/weiboNER_2nd_conll.dev", Outcome(270, 270, "tagged", blank=270)),
    case("wikigold/wikigold.conll.txt", Outcome(1696, 1696, "tagged", blank=1986)),
    case("winobias/*.txt.dev", Outcome(1584, 1584, "text")),
    case(
        "winobias/generalized_swaps.txt",
        Outcome(104, 104, "pair"),
        container="tsv:header=text1+text2",
    ),
    case(
        "winobias/extra_gendered_words.txt",
        Outcome(92, 92, "pair"),
        container="tsv:header=text1+text2",
    ),
    case(
        "winogender/all_sentences.tsv",
        Outcome(720, 720, "text"),
        format="text",
        field=("text=sentence", "id=sentid"),
    ),
    case(
        "winogender/templates.tsv",
        Outcome(120, 120, "classification"),
        format="classification",
        field=("text=sentence", "label=answer"),
    ),
    case(
        "winogender/occupations-stats.tsv",
        Outcome(60, 60, "regression"),
        format="regression",
        field=("text=occupation", "label=bls_pct_female"),
    ),
    case("wnut17/wnut17train.conll", Outcome(3394, 3394, "tagged", blank=3394)),
    case("wnut17/emerging.dev.conll", Outcome(1009, 1009, "tagged", blank=1009)),
    case("xquad/xquad.en_16.json", Outcome(1, 426, "squad")),
    case("xquad/xquad.zh_16.json", Outcome(16, 426, "squad"), container="json:rows=data"),
    case(
        "zh_medical_gb18030/neike_300.csv",
        Outcome(300, 300, "qa"),
        encoding="gb18030",
        field=("question=ask",),
    ),
]


def read(source: str, **how: Any) -> tuple[list[dict[str, Any]], Tally, list[Any]]:
    tally, rejected = Tally(), []
    reading = Reading(bad_rows="quarantine", **how)
    records = list(read_records([source], reading, tally, rejected.append))
    tally.check()
    return records, tally, rejected


@pytest.mark.parametrize(("source", "how", "outcome"), CASES)
def test_every_set_has_exactly_this_outcome(shared, source, how, outcome):
    records, tally, rejected = read(str(shared / source), **how)
    assert (tally.rows_in, tally.out, tally.blank) == (outcome.rows, outcome.out, outcome.blank)
    assert dict(tally.rejected) == outcome.rejected
    assert dict(tally.notes) == outcome.notes
    assert set(tally.formats) == {outcome.format}
    assert tally.added.total() == tally.out + len(rejected) - tally.rows_in
    assert set(tally.added) <= {SEVERAL}
    assert len({record["id"] for record in records}) == len(records) == outcome.out
    assert [fault(record) for record in records if fault(record)] == []


# sets that cannot be read without a word, and what is said
REFUSED = {
    "banking77/categories.json": "not a JSON object but a string",
    "clinc150/data_small_trim.json": "no known format has these keys",
    "clinc150/domains.json": "no known format has these keys",
    "crows_pairs/crows_pairs_anonymized.csv": "name it: --container csv:unnamed=NAME",
    "data_juicer/demo-dataset-annotation-human-preference.jsonl": "no known format",
    "humaneval/HumanEval.jsonl.gz": "no known format has these keys",
    "kdconv/travel_dev_40.json": "--format alternating",
    "mt_bench/reference_answer_gpt-4.jsonl": "no known format has these keys",
    "oasst/en_text_100.jsonl": "100 bad rows in all",
    "smile_zh": "--container json:whole=messages",
    "tatoeba_en_zh/cmn_sample.txt": "--container tsv:header=NAME+NAME+NAME",
    "vcsum/short_dev_10.txt": "no known format has these keys",
    "winobias/generalized_swaps.txt": "--container tsv:header=NAME+NAME",
    "zh_medical_gb18030/neike_300.csv": "looks like GB18030\n  hint: add --encoding gb18030",
}


@pytest.mark.parametrize("source", REFUSED)
def test_what_needs_a_word_is_refused_with_what_to_type(shared, source):
    with pytest.raises(UserError) as caught:
        read(str(shared / source))
    assert REFUSED[source] in str(caught.value)
    assert caught.value.code == 65


def test_every_set_is_here(shared):
    named = {param.values[0].split("/")[0] for param in CASES} | {"json_test_suite"}
    assert {path.name for path in shared.iterdir() if path.is_dir()} <= named


def test_hostile_documents_are_read_or_refused_but_nothing_else(shared):
    """No file breaks the reader; what must fail fails, in the row or in the document."""
    counts = {"y": 0, "n": 0, "i": 0}
    read_whole: dict[str, list[str]] = {"y": [], "n": [], "i": []}
    for path in sorted((shared / "json_test_suite/test_parsing").iterdir()):
        counts[path.name[0]] += 1
        reading = Reading("text", container="json:wrap=text", bad_rows="quarantine")
        tally, rejected = Tally(), []
        with contextlib.suppress(UserError):
            list(read_records([str(path)], reading, tally, rejected.append))
            read_whole[path.name[0]].append(path.name)
        tally.check()
    assert counts == {"y": 95, "n": 188, "i": 35}
    assert read_whole["n"] == []
    assert len(read_whole["y"]) > 10  # most hold no text, or no row at all


def test_quoted_line_ends(shared):
    records, *_ = read(str(shared / "banking77/test.csv"))
    assert [record["text"].count("\n") for record in records if "\n" in record["text"]] == [1, 2, 1]
    assert records[-1]["origin"].endswith("test.csv:3085")
    assert len({record["label"] for record in records}) == 77


def test_line_ends_of_unicode_are_text(shared):
    lines, *_ = read(str(shared / "blns/blns.txt"), container="text:comment=#")
    strings, *_ = read(str(shared / "blns/blns.json"), container="json:wrap=text")
    for mark in "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e":
        assert any(mark in record["text"] for record in strings)
        assert any(mark in record["text"] for record in lines)


def test_one_table_in_three_containers(shared):
    texts = [
        [record["text"] for record in read(str(shared / f"data_juicer/demo-dataset.{kind}"))[0]]
        for kind in ("csv", "tsv", "parquet")
    ]
    assert texts[0] == texts[1] == texts[2]


def test_quotes_of_a_table_are_undone(shared):
    records, *_ = read(str(shared / "sib200/eng_Latn_train.tsv"))
    assert not [record for record in records if '""' in record["text"]]
    assert sum('"' in record["text"] for record in records) > 30


def test_iob1_becomes_iob2_and_errors_stay(shared):
    records, *_ = read(str(shared / "wikigold/wikigold.conll.txt"))
    begun = sum(tag.startswith("B-") for record in records for tag in record["tags"])
    assert begun == 3558
    source = (shared / "wikigold/wikigold.conll.txt").read_text(encoding="utf-8")
    tokens = [line for line in source.split("\n") if line and not line.startswith("-DOCSTART-")]
    assert sum(len(record["tokens"]) for record in records) == len(tokens)

    records, *_ = read(str(shared / "weibo_ner/weiboNER_2nd_conll.train"), container="conll:cut=1")
    assert "".join(records[0]["tokens"][:4]) == "科技全方"
    lone = 0
    for record in records:
        for before, tag in zip(["O", *record["tags"]], record["tags"], strict=False):
            lone += tag[0] == "I" and before[2:] != tag[2:]
    assert lone == 10


def test_tokens_that_look_like_comments_are_kept(shared):
    records, *_ = read(str(shared / "wnut17/emerging.dev.conll"))
    source = (shared / "wnut17/emerging.dev.conll").read_text(encoding="utf-8")
    assert sum(record["tokens"].count("#") for record in records) == source.count("\n#\tO")


def test_answers_stand_where_they_should_in_code_points(shared):
    for name in ("en", "zh"):
        records, tally, _ = read(str(shared / f"xquad/xquad.{name}_16.json"))
        assert not tally.notes
        assert len({record["group"] for record in records}) == 16
        assert all(record["references"][0] in record["context"] for record in records)


def test_transcripts_are_split_at_the_last_answer(shared):
    records, *_ = read(str(shared / "hh_rlhf/harmless_test_300.jsonl"))
    for record in records:
        assert record["messages"][0]["role"] == "user"
        assert [turn["role"] for turn in record["rejected"]] == ["assistant"]
        assert not any("\n\nHuman:" in turn["content"] for turn in record["messages"])


def test_paths_of_a_tree_stay_together(shared):
    records, *_ = read(str(shared / "oasst/en_tree_20.jsonl"))
    assert len({record["group"] for record in records}) == 20
    firsts = {(record["group"], record["messages"][0]["content"]) for record in records}
    assert len(firsts) == 20
