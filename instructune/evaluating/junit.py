"""Verdicts of gates as JUnit XML, which CI systems show: a test case a gate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from instructune.errors import visible
from instructune.evaluating.gates import Verdict

_NOT_XML = re.compile("[\ufffe\uffff]")  # what XML 1.0 cannot hold and `visible` lets pass


def junit(verdicts: Sequence[Verdict], *, undecided: str) -> bytes:
    """One suite: a gate that fired is a failure, one that is undecided skipped unless it fails."""
    failed = [verdict.fails(undecided) for verdict in verdicts]
    skipped = [
        verdict.outcome == "undecided" and not fails
        for verdict, fails in zip(verdicts, failed, strict=True)
    ]
    counts = {
        "tests": str(len(verdicts)),
        "failures": str(sum(failed)),
        "errors": "0",
        "skipped": str(sum(skipped)),
    }
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(root, "testsuite", {"name": "instructune eval"} | counts)
    for verdict, fails, skips in zip(verdicts, failed, skipped, strict=True):
        name = _text(verdict.gate.name or verdict.gate.text)
        case = ET.SubElement(suite, "testcase", {"classname": "instructune.eval", "name": name})
        told = _text(str(verdict))
        if fails:
            ET.SubElement(case, "failure", {"message": told, "type": verdict.outcome}).text = told
        elif skips:
            ET.SubElement(case, "skipped", {"message": told})
        else:
            ET.SubElement(case, "system-out").text = told
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _text(text: str) -> str:
    return _NOT_XML.sub(lambda found: ascii(found.group())[1:-1], visible(text))
