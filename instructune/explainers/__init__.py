"""A prediction in, why the model made it out: one file a way to tell."""

from instructune.registry import Family

explainers = Family("explainer", __name__)
