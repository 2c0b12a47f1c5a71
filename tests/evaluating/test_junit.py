"""junit: counts, cases, and texts that XML cannot hold."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from instructune.evaluating.conditions import Comparison, Gate
from instructune.evaluating.gates import Finding, Verdict
from instructune.evaluating.junit import junit


def verdict(text, holds, **named):
    comparison = Comparison("f1", "value", (), "<", 0.5)
    return Verdict(Gate(text, (comparison,), **named), (Finding(0.25, None, holds),))


VERDICTS = [
    verdict("f1 < 0.5", True, name="floor", reason='said "so" & <signed>'),
    verdict("f1 > 0.5", False),
    verdict("f1 < 0.3 surely", None),
]


def test_a_case_a_gate():
    assert junit(VERDICTS, undecided="pass").decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<testsuites tests="3" failures="1" errors="0" skipped="1">\n'
        '  <testsuite name="instructune eval" tests="3" failures="1" errors="0" skipped="1">\n'
        '    <testcase classname="instructune.eval" name="floor">\n'
        '      <failure message="floor: f1 &lt; 0.5 is true: 0.25 '
        '(said &quot;so&quot; &amp; &lt;signed&gt;)" type="fired">'
        'floor: f1 &lt; 0.5 is true: 0.25 (said "so" &amp; &lt;signed&gt;)</failure>\n'
        "    </testcase>\n"
        '    <testcase classname="instructune.eval" name="f1 &gt; 0.5">\n'
        "      <system-out>f1 &gt; 0.5 is false: 0.25</system-out>\n"
        "    </testcase>\n"
        '    <testcase classname="instructune.eval" name="f1 &lt; 0.3 surely">\n'
        '      <skipped message="f1 &lt; 0.3 surely is undecided, too few data: 0.25" />\n'
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


def test_undecided_gates_may_fail():
    suite = ET.fromstring(junit(VERDICTS, undecided="fail"))
    assert (suite.get("failures"), suite.get("skipped")) == ("2", "0")
    assert [failure.get("type") for failure in suite.iter("failure")] == ["fired", "undecided"]


def test_texts_that_xml_cannot_hold():
    hostile = "a\x00\x1b]0;x\x07\ud800\ufffe]]><!--&x;"
    case = next(ET.fromstring(junit([verdict(hostile, True)], undecided="pass")).iter("testcase"))
    assert case.get("name") == "a\\x00\\x1b]0;x\\x07\\ud800\\ufffe]]><!--&x;"
