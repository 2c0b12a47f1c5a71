"""Raw rows in, records out: one file a row format."""

from instructune.registry import Family

formats = Family("format", __name__)
