"""Benchmarks: ratios to the peer, A B A B in one run, medians; no test asserts a time."""
