"""Share of true entities that are found; tags, spans, and entities named in words alike.

Options as of entity_f1, whose details hold all three by type.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._entities import Options, matched
from instructune.metrics._extraction import macro, micro, table
from instructune.metrics._table import Table

REFERENCES = ("tags", "entities", "relations", "text")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
SIGNATURE = "undefined:0|texts:best_place,blanks_ignored|unread:none"
PAPER = "https://aclanthology.org/S13-2056"


def statistics(answers: Sequence[Answer], options: Options) -> Table:
    """What was found, predicted and true, in all and by type."""
    return table(answers, matched(answers, options))


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """Recall, over all entities or the mean over types."""
    return (micro if options.average == "micro" else macro)(sums).recall
