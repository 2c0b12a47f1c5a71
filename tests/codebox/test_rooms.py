"""rooms: what is in a sandbox's file system, and what can be written there."""

from __future__ import annotations

import sysconfig
import tempfile
from pathlib import Path

from instructune.codebox import Box, Job
from instructune.codebox.rooms import _unescaped, python_folders


def python_in_tmp():
    """What of /tmp Python itself takes, where it is installed in there."""
    places = (Path(place).parts for place in python_folders())
    return sorted({parts[2] for parts in places if parts[1] == "tmp"})


def test_the_room_is_bare_and_read_only(sandbox, tmp_path):
    answer = f"""
import glob, os
def around(): return os.getcwd(), os.listdir('.'), os.path.exists({str(tmp_path)!r})
def missing(): return [p for p in ('/proc/self', '/sys/kernel', '/etc/passwd', '/home', '/var')
                       if os.path.exists(p)]
def writable():
    found = []
    for folder in ('/', '/tmp', *glob.glob('/*'), *glob.glob('/*/*'), *glob.glob('/*/*/*')):
        try:
            os.close(os.open(folder + '/x', os.O_CREAT | os.O_WRONLY))
            found.append(folder)
        except OSError: pass
    return sorted(set(found))
def flags():
    return {{os.statvfs(p).f_flag & os.ST_RDONLY for p in ('/', '/usr', '/dev/null')}}
"""
    tests = (
        f"assert around() == ('/tmp', {python_in_tmp()}, False)\nassert missing() == []\n"
        "assert writable() == ['/tmp']\nassert flags() == {1}"
    )
    assert sandbox.run([Job(answer, tests)]) == [(True, None)]


def test_nothing_is_left_for_the_next(sandbox):
    answer = "import os\ndef f(): open('/tmp/x', 'w').close(); return sorted(os.listdir('/tmp'))"
    tests = f"assert f() == {sorted([*python_in_tmp(), 'x'])}"
    assert sandbox.run([Job(answer, tests)] * 4) == [(True, None)] * 4


def test_python_may_lie_in_tmp_itself(sandbox, monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="a b ") as folder:
        packages, other = Path(folder, "in", "packages"), Path(folder, "in", "other")
        packages.mkdir(parents=True)
        other.mkdir()
        (packages / "lying_there.py").write_text("NUMBER = 7\n")
        paths = sysconfig.get_paths() | {"purelib": str(packages)}
        monkeypatch.setattr(sysconfig, "get_paths", lambda: paths)
        answer = f"""
import os, lying_there
def around(): return os.getcwd(), os.path.exists({str(other)!r}), lying_there.NUMBER
def writes():
    found = []
    for place in ('/tmp', {folder!r}, {str(packages.parent)!r}, {str(packages)!r}, '/scratch'):
        try:
            open(place + '/x', 'w').close()
            found.append(place)
        except OSError: pass
    return found
"""
        tests = "assert around() == ('/tmp', False, 7)\nassert writes() == ['/tmp']"
        with Box(workers=1) as box:
            assert box.run([Job(answer, tests)] * 3) == [(True, None)] * 3
        assert sorted(path.name for path in packages.iterdir()) == ["lying_there.py"]


def test_blanks_in_paths():
    assert _unescaped(rb"/new/a\040b\134c") == "/new/a b\\c"
