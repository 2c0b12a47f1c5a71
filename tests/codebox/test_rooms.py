"""rooms: what is in a sandbox's file system, and what can be written there."""

from __future__ import annotations

from instructune.codebox import Job
from instructune.codebox.rooms import _unescaped


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
        "assert around() == ('/tmp', [], False)\nassert missing() == []\n"
        "assert writable() == ['/tmp']\nassert flags() == {1}"
    )
    assert sandbox.run([Job(answer, tests)]) == [(True, None)]


def test_nothing_is_left_for_the_next(sandbox):
    answer = "import os\ndef f(): open('/tmp/x', 'w').close(); return os.listdir('/tmp')"
    assert sandbox.run([Job(answer, "assert f() == ['x']")] * 4) == [(True, None)] * 4


def test_blanks_in_paths():
    assert _unescaped(rb"/new/a\040b\134c") == "/new/a b\\c"
