"""Predictions in, numbers out: one file a metric, none of which needs torch."""

from instructune.registry import Family

metrics = Family("metric", __name__)
