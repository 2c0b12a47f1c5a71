"""What training minimises: one file an objective."""

from instructune.registry import Family

objectives = Family("objective", __name__)
