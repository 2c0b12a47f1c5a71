"""The learning rate after the warm-up: one file a schedule.

A plug-in has `share(step, steps, options)`: the share of the peak rate at step `step` (from 0) of
the `steps` that follow the warm-up.
"""

from instructune.registry import Family

schedules = Family("schedule", __name__)
