"""Verifiable constraints: `check(answer, record, options) -> reason or None`, one file each."""

from instructune.registry import Family

checks = Family("check", __name__)
