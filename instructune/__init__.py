"""Instruction tuning as Unix filters: prepare, train, generate and eval over JSONL."""

__version__ = "0.1.0"
