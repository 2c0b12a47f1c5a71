"""Record in, records out: `Transform(options)(record, changes) -> [record]`, one file each."""

from instructune.registry import Family

transforms = Family("transform", __name__)
