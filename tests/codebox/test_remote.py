"""remote: tests work on an answer's functions and objects as if they were at hand."""

from __future__ import annotations

import pytest

from instructune.codebox import Job

SHAPES = """
class Vector:
    def __init__(self, *xs): self.xs = list(xs)
    def __add__(self, other): return Vector(*(a + b for a, b in zip(self.xs, other.xs)))
    def __mul__(self, k): return Vector(*(k * x for x in self.xs))
    __rmul__ = __mul__
    def __eq__(self, other): return self.xs == getattr(other, 'xs', other)
    def __len__(self): return len(self.xs)
    def __getitem__(self, i): return self.xs[i]
    def __contains__(self, x): return x in self.xs
    def __enter__(self): return self
    def __exit__(self, *error): self.xs.clear()
    def __str__(self): return f'<{self.xs}>'
    def __lt__(self, other): return self.xs < other.xs
class TooLong(ValueError): pass
def make(*xs): return Vector(*xs)
def count():
    yield from (1, 2, 3)
def adder(n): return lambda x: x + n
def each(f, xs): return [f(x) for x in xs]
def sort(xs): xs.sort()
def deep(d): d['a'].append(1); d['b'] = {2}
def refuse(text):
    if len(text) > 3: raise TooLong(text)
    raise KeyError(text)
def leave(): raise SystemExit(0)
LIMIT = 3
"""


@pytest.mark.parametrize(
    "tests",
    [
        "assert Vector(1, 2) + Vector(3, 4) == Vector(4, 6)",
        "assert Vector(1, 2) * 3 == 3 * Vector(1, 2) == Vector(3, 6) == [3, 6]",
        "v = Vector(1, 2)\nassert v.xs == [1, 2] and len(v) == 2 and v[1] == 2 and 2 in v",
        "v = Vector(1)\nv.xs = [5]\nassert v[0] == 5 and str(v) == '<[5]>' and not hasattr(v, 'q')",
        "with Vector(1) as v: assert v.xs == [1]\nassert v.xs == []",
        "assert isinstance(Vector(), Vector) and not isinstance(3, Vector)",
        "assert sorted([Vector(2), Vector(1)])[0] == Vector(1)",
        "assert list(count()) == [1, 2, 3] and sum(count()) == 6 and next(count()) == 1",
        "assert adder(2)(3) == 5 and adder(1) is not None",
        "assert each(lambda x: x * 2, (1, 2)) == [2, 4] and each(adder(1), [1]) == [2]",
        "assert each(str, [1]) == ['1'] and each(Vector, [1])[0].xs == [1]",
        "xs = [3, 1, [2]][:2]\nsort(xs)\nassert xs == [1, 3]",
        "inner = [0]\nd = {'a': inner}\ndeep(d)\nassert d == {'a': [0, 1], 'b': {2}}",
        "try: refuse('long text')\nexcept TooLong as e: assert str(e) == 'long text'\nelse: 1 / 0",
        "try: refuse('long text')\nexcept ValueError: pass",
        "try: refuse('x')\nexcept KeyError: pass\nelse: 1 / 0",
        "def bad(x): [][x]\ntry: each(bad, [1])\nexcept IndexError: pass\nelse: 1 / 0",
        "assert LIMIT == 3",
    ],
)
def test_what_tests_may_do(sandbox, tests):
    assert sandbox.run([Job(SHAPES, tests)]) == [(True, None)]


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        # an object that no test asked for decides nothing about plain values
        ("assert make(1) == [1]", "AssertionError"),
        ("assert make(1) * 2", "TypeError: unsupported operand"),
        ("assert make(1) < 3", "TypeError: '<' not supported"),
        ("each(object(), [])", "TypeError: a object cannot be handed to the answer"),
        # what the answer does to itself cannot be caught
        ("try: leave()\nexcept BaseException: pass", "the answer raises SystemExit"),
        ("try: leave()\nexcept BaseException: pass\nadder(1)", "the answer raises SystemExit"),
        ("assert Vector(1) != [1]", "AssertionError"),
        ("assert Vector(1) * 1 == [1]", "AssertionError"),  # nor does what it made of itself
    ],
)
def test_what_fails(sandbox, tests, reason):
    (found,) = sandbox.run([Job(SHAPES, tests)])
    assert not found.passed
    assert found.reason.startswith(reason)
