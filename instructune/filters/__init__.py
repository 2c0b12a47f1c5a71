"""Record in, a reason to drop it or None out: `Filter(options)(record)`, one file each."""

from instructune.registry import Family

filters = Family("filter", __name__)
