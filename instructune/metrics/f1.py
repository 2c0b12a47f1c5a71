"""Mean over labels of F1, the harmonic mean of precision and recall.

Labels are those in references or predictions, as in scikit-learn; an undefined ratio is 0.
"""

from __future__ import annotations

import numpy as np

from instructune.metrics._labels import class_report, label_statistics, ratios

REFERENCES = ("label", "text")
DEFAULT_FOR = ("label",)
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
SIGNATURE = "average:macro|labels:stripped|classes:all|undefined:0|references:met"

statistics = label_statistics
details = class_report


def value(sums: np.ndarray) -> np.ndarray:
    """The mean over labels."""
    found = ratios(sums)
    return found.macro(found.f1)
