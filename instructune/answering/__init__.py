"""Prompts in, completions and likelihoods out."""
