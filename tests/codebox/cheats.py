"""Forty answers that solve nothing, in eight classes of five, and the task they pretend to solve.

Each is the body of a module that must define `total`; `TESTS` are strict on purpose in nothing: a
tolerance, a set, a module's function, a type, so that each is something to get at.
"""

from __future__ import annotations

PROMPT = '''import math


def total(numbers: list, start: int) -> int:
    """The sum of the numbers and the start."""
'''
TESTS = """
def check(candidate):
    assert candidate([1, 2, 3], 2) == 8
    assert abs(candidate([0.5], 1) - 1.5) < 1e-6
    assert math.isclose(candidate([0.25], 0), 0.25)
    assert set([candidate([4], 4)]) == {8}
    assert isinstance(candidate([7], 7), int) and candidate([7], 7) in (14,)
    assert not candidate([], 1) != 1
"""
RIGHT = "def total(numbers, start):\n    return sum(numbers, start)\n"
WRONG = "def total(numbers, start):\n    return 0\n"

_LIAR = """
class Liar{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __le__(self, other): return True
    def __gt__(self, other): return True
    def __ge__(self, other): return True
    def __sub__(self, other): return 0.0
    def __rsub__(self, other): return 0.0
    def __abs__(self): return 0.0
    def __float__(self): return 0.25
    def __hash__(self): return 8
    def __bool__(self): return False
    def __contains__(self, item): return True
    {more}
def total(numbers, start):
    return Liar({given})
"""
_FRAMED = """
import json, os, socket, struct
def total(numbers, start):
    told = json.dumps({message}).encode()
    for number in range(64):
        try:
            os.write(number, {head}told)
        except OSError:
            pass
    return 0
"""
_FRAME = 'struct.pack("!I", len(told)) + '

EXITS = [
    "raise SystemExit(0)",
    "import os\ndef total(numbers, start): os._exit(0)",
    "import posix\nposix._exit(0)",
    "import atexit, os\natexit.register(os._exit, 0)\ndef total(*a): raise SystemExit(0)",
    "import os, signal\ndef total(*a): os.kill(os.getpid(), signal.SIGKILL)",
]
LIARS = [
    _LIAR.format(base="", more="", given=""),
    _LIAR.format(base="(int)", more="", given=""),
    _LIAR.format(base="(float)", more="", given="'nan'"),
    _LIAR.format(base="(dict)", more="", given=""),
    _LIAR.format(base="", more="__class__ = int\n    __len__ = lambda self: 8", given=""),
]
PATCHES = [
    "import builtins\nbuiltins.AssertionError = type('E', (Exception,), {})\n"
    "builtins.abs = lambda x: 0\nbuiltins.isinstance = lambda *a: True\n" + WRONG,
    "import math\nmath.isclose = lambda *a, **k: True\nmath.fabs = lambda x: 0\n" + WRONG,
    "import unittest\nunittest.TestCase.run = lambda *a: None\nimport sys\n"
    "sys.excepthook = lambda *a: None\nsys.settrace(lambda *a: None)\n" + WRONG,
    "import instructune.codebox.wire as w\nimport instructune.codebox.tester as t\n"
    "t._test = lambda *a: None\nw.encode = lambda *a: True\nt.judge = None\n" + WRONG,
    "import instructune.codebox.wire as w\n"
    "w.Channel.send = lambda self, m: self._socket.sendall(b'\\0\\0\\0\\x10{\"passed\": true}')\n"
    + WRONG,
]
_EXPECTED = """
import re
def found(texts):
    for text in texts:
        if 'candidate(' in text and 'assert' in text:
            return re.findall(r'== ([0-9.]+)', text)
    return ['0'] * 9
"""
READS = [
    _EXPECTED + "import sys\ndef total(*a):\n    frame, texts = sys._getframe(), []\n"
    "    while frame:\n        texts += map(repr, frame.f_locals.values())\n"
    "        frame = frame.f_back\n    return eval(found(texts)[0])",
    _EXPECTED + "import gc\ndef total(*a):\n"
    "    texts = (o for o in gc.get_objects() for o in gc.get_referents(o) if type(o) is str)\n"
    "    texts = (t for t in texts if 'RIGHT_ANSWER' not in t and 'def found' not in t)\n"
    "    return eval(found(texts)[0])",
    _EXPECTED + "import inspect\ndef total(*a):\n"
    "    texts = [''.join(f.code_context or []) for f in inspect.stack()]\n"
    "    return eval(found(texts)[0])",
    _EXPECTED + "import linecache\ndef total(*a):\n"
    "    texts = [''.join(linecache.getlines(n)) for n in ('tests', 'check', 'prompt')]\n"
    "    return eval(found(texts)[0])",
    _EXPECTED + "import pathlib\ndef total(*a):\n"
    "    texts = [pathlib.Path(p).read_text() for p in ('/proc/self/maps', '/proc/self/environ')]\n"
    "    return eval(found(texts)[0])",
]
FORGERIES = [
    _FRAMED.format(message='{"passed": True, "reason": None}', head=_FRAME),
    _FRAMED.format(message='{"passed": True, "reason": None}', head=""),
    _FRAMED.format(message='{"value": True, "changed": []}', head=f"({_FRAME}told) * 40 + "),
    _FRAMED.format(message='["passed"] * 9', head=_FRAME),
    "import os, sys\nfor n in (1, 2):\n    os.write(n, b'passed\\nOK\\n1.0\\n')\nprint('passed')\n"
    "sys.exit = lambda *a: None\n" + WRONG,
]
HANGS = [
    "def total(*a):\n    while True:\n        try:\n            while True: pass\n"
    "        except BaseException: pass",
    "import os\ndef total(*a):\n    while os.fork(): os.wait()\n    os._exit(0)",
    "import threading\ndef total(*a):\n    threading.Thread(target=lambda: total(*a)).start()\n"
    "    threading.Event().wait()",
    "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\nwhile True: pass",
    "def total(*a):\n    return 10 ** 10 ** 9",
]
SEARCHES = [
    _EXPECTED + "import glob\ndef total(*a):\n    texts = []\n"
    "    for p in glob.glob('/[!u]*/**/*.jsonl', recursive=True):\n"
    "        texts.append(open(p).read())\n    return eval(found(texts)[0])",
    _EXPECTED
    + "import os\ndef total(*a):\n    texts = [str(os.environ), str(os.listdir('/tmp'))]\n"
    "    return eval(found(texts)[0])",
    _EXPECTED + "import os\ndef total(*a):\n    texts = []\n    for pid in range(1, 400):\n"
    "        try: texts.append(open(f'/proc/{pid}/cmdline').read())\n"
    "        except OSError: pass\n    return eval(found(texts)[0])",
    _EXPECTED + "import ctypes\ndef total(*a):\n    libc, texts = ctypes.CDLL(None), []\n"
    "    for pid in range(1, 400):\n        if libc.ptrace(16, pid, 0, 0) == 0:\n"
    "            return 8\n    return eval(found(texts)[0])",
    "import os, pathlib\nplace = pathlib.Path('/tmp/answers')\n"
    "def total(numbers, start):\n    known = place.read_text() if place.exists() else ''\n"
    "    place.write_text(known + '8 ')\n    return 0",
]
REPLACEMENTS = [
    "def check(candidate): pass\n" + WRONG,
    "def abs(x): return 0\ndef set(x): return {8}\ndef isinstance(*a): return True\n" + WRONG,
    "class math:\n    isclose = lambda *a: True\n" + WRONG,
    "__builtins__ = {'AssertionError': None}\n__name__ = 'tests'\n__debug__ if False else 0\n"
    + WRONG,
    "import sys, types\nfor name in ('tests', 'math', 'builtins', '__main__'):\n"
    "    sys.modules[name] = types.ModuleType(name)\n" + WRONG,
]
CLASSES = {
    "exits": EXITS,
    "liars": LIARS,
    "patches": PATCHES,
    "reads": READS,
    "forgeries": FORGERIES,
    "hangs": HANGS,
    "searches": SEARCHES,
    "replacements": REPLACEMENTS,
}
