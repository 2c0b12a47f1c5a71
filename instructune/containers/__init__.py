"""Bytes in, rows out: one file a container."""

from instructune.registry import Family

containers = Family("container", __name__)
