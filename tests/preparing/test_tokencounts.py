"""tokencounts: as long as the template and the tokenizer make it; refusals told."""

from __future__ import annotations

import shutil

import pytest

from instructune.errors import UserError
from instructune.fetching.modelfiles import resolve
from instructune.preparing.tokencounts import token_counter, token_size
from instructune.records import Record

CHAT = Record(
    id="a",
    messages=[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}],
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))


def test_bytes_and_special_tokens_of_a_preset():
    count = token_counter("tiny-llama")
    # <|im_start|>, "user\n", 2 bytes, <|im_end|>, "\n"; then the same with "assistant\n"
    assert count(CHAT) == (1 + 5 + 2 + 1 + 1) + (1 + 10 + 2 + 1 + 1)
    assert count(Record(id="b", text="plain")) == 5
    assert count(Record(id="c", text="中")) == 3


def test_a_refused_record_has_no_length(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(resolve("tiny-llama").tokenizer, folder)
    (folder / "model.safetensors").write_bytes(b"\x02" + bytes(7) + b"{}")
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no') }}")
    row = Record(CHAT | {"origin": "f:7"})
    assert token_counter(str(folder))(row) is None
    assert token_size("tiny-llama")(row) == token_counter("tiny-llama")(row)
    with pytest.raises(UserError, match=r"f:7: the chat template refuses the row") as told:
        token_size(str(folder))(row)
    assert "--mix-by words" in (told.value.hint or "")
