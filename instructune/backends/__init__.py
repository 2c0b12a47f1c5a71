"""Prompts in, completions out: one file a backend."""

from instructune.registry import Family

backends = Family("backend", __name__)
