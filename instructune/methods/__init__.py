"""Which parameters become trainable: one file a method."""

from instructune.registry import Family

methods = Family("method", __name__)
