"""Choices of people and answers of judges, as tests write them."""

from __future__ import annotations

from typing import Any

from instructune.judges.judgewords import Verdict

SYSTEMS = ["a.jsonl", "b.jsonl"]
SAID: dict[Verdict | None, str] = {
    "first": "Verdict: A",
    "second": "Verdict: B",
    "tie": "Verdict: tie",
    None: "?",
}


def choice(name: str, chosen: str, rater: str = "ann", **more: Any) -> dict[str, Any]:
    """A row of `--judge human`."""
    return {"id": name, "sample": 0, "rater": rater, "choice": chosen, "systems": SYSTEMS} | more


def half(name: str, first: str, said: Verdict | None, **more: Any) -> dict[str, Any]:
    """A judge's answer to the prompt with the answer of `first` in front."""
    judged = {"id": name, "sample": 0, "systems": SYSTEMS, "first": first, "wording": "w"}
    row = {"id": f"{name}:0:{first}-first", "judged": judged, "sample": 0, "model": "m"}
    return row | {"prediction": SAID[said], "finish_reason": "stop"} | more


def both(name: str, one: Verdict | None, other: Verdict | None) -> list[dict[str, Any]]:
    """A judge's answers in both orders."""
    return [half(name, "system", one), half(name, "baseline", other)]


def scored(name: str, role: str, said: str, **more: Any) -> dict[str, Any]:
    """A judge's scores by two criteria."""
    judged = {"id": name, "sample": 0, "systems": SYSTEMS, "of": role, "wording": "w"}
    judged |= {"criteria": {"tone": [1, 5], "safe": [0, 1]}} | more
    row = {"id": f"{name}:0:{role}", "judged": judged, "sample": 0, "model": "m"}
    return row | {"prediction": said, "finish_reason": "stop"}
