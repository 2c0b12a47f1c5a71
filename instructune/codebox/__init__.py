"""Runs code that nobody vouches for, and tells whether it passes its tests.

Each answer runs in a locked process of its own: fresh namespaces, no network, a root directory
with nothing but Python in it, read-only, a small private /tmp, an empty environment, limits on
time, memory, processes and files, no privileges, few system calls. Its tests run in another such
process, and the two exchange plain values over one socket. So an answer never holds what decides
on it: it cannot read the tests, replace what they compare with, end them early, or send a verdict.

Needs Linux with user namespaces, or root. Without a sandbox nothing runs: code 69.
"""

from instructune.codebox.boxes import Box, Job, Verdict
from instructune.codebox.limits import Limits

__all__ = ["Box", "Job", "Limits", "Verdict"]
