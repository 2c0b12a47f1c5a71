"""extras: what is missing is told with the line that installs it."""

from __future__ import annotations

import pytest

from instructune.errors import Exit, UserError
from instructune.extras import extra


def test_what_is_there_is_imported():
    assert extra("json", "clean", "x").loads("1") == 1


def test_what_is_missing_is_told():
    with pytest.raises(UserError) as told:
        extra("no_such_library", "clean", "--transform clean")
    assert told.value.code == Exit.UNAVAILABLE
    assert str(told.value) == (
        "--transform clean: needs no_such_library, which is not installed\n"
        "  hint: pip install 'instructune[clean]'"
    )


def test_a_library_of_no_extra_is_installed_by_its_name():
    with pytest.raises(UserError, match="pip install no_such_library"):
        extra("no_such_library", None, "x")
