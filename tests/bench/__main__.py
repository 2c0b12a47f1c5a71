"""`python -m tests.bench [NAME…]`: run the benchmarks, each one JSON line."""

import importlib
import sys

NAMES = (
    "startup",
    "reading",
    "workers",
    "cleaning",
    "duplicates",
    "smoke",
    "training",
    "encoders",
    "generation",
    "evaluation",
)

for name in sys.argv[1:] or NAMES:
    importlib.import_module(f"tests.bench.{name}").run()
