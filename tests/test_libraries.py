"""libraries: what transformers and peft say, as one line of ours or not at all."""

from __future__ import annotations

import logging
import warnings

import pytest
import transformers.utils.logging as library_logging
from safetensors import SafetensorError

from instructune.errors import Exit, UserError
from instructune.libraries import check_nothing, naming_failures, quiet


def test_a_refusal_is_one_line_that_names_the_folder():
    told = pytest.raises(UserError, match=r"m: cannot be loaded: one two three$")
    with told as raised, naming_failures("m"):
        raise ValueError("one\n\n two\nthree\nfour")
    assert raised.value.code == Exit.MISMATCH
    for error in (SafetensorError("cut"), KeyError("k"), OSError("no file of weights")):
        with pytest.raises(UserError, match="cannot be loaded"), naming_failures("m"):
            raise error
    with pytest.raises(UserError) as raised, naming_failures("m"):
        raise OSError(28, "no space")
    assert raised.value.code == Exit.IO


def test_a_lack_of_memory_is_no_refusal():
    with pytest.raises(MemoryError), naming_failures("m"):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")


def test_the_first_few_keys_are_named():
    check_nothing([], "tensors missing", "m")
    with pytest.raises(UserError, match=r"m: 4 tensors missing: a, b, c, …"):
        check_nothing(["d", "a", "c", "b"], "tensors missing", "m")
    with pytest.raises(UserError, match=r"1 odd: w \(2x3, not 3x2\)"):
        check_nothing([("w", (2, 3), (3, 2))], "odd", "m")


def test_they_are_quiet_and_then_as_before(recwarn):
    before = library_logging.get_verbosity(), library_logging.is_progress_bar_enabled()
    with quiet():
        assert library_logging.get_verbosity() == logging.CRITICAL
        assert not library_logging.is_progress_bar_enabled()
        warnings.warn("loud", stacklevel=1)
    assert (library_logging.get_verbosity(), library_logging.is_progress_bar_enabled()) == before
    assert not recwarn.list
