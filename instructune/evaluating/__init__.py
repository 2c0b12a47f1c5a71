"""Predictions in, scores with their intervals, comparisons and gates out."""
