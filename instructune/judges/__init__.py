"""Judgements of answers by people and by models: asked for, read, and summed up."""
