"""reports/style: dark, narrow and printed pages are thought of, and nothing is loaded."""

from __future__ import annotations

from instructune.reports.style import STYLE


def test_every_way_of_looking_has_rules():
    for rule in ("prefers-color-scheme: dark", "max-width: 640px", "@media print"):
        assert rule in STYLE
    assert STYLE.count("{") == STYLE.count("}")
    for loading in ("url(", "@import", "expression(", "</"):
        assert loading not in STYLE


def test_every_colour_has_its_dark_twin():
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")[:2]
    names = [line.partition(":")[0] for line in light.replace(";", "\n").split() if "--" in line]
    assert len(names) == 11
    for name in names:
        assert f"{name}:" in dark.partition("} }")[0]
