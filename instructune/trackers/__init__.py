"""Events of a training in, curves of an experiment tracker out: one file a tracker."""

from instructune.registry import Family

trackers = Family("tracker", __name__)
