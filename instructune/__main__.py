"""`python -m instructune`: the same as the `instructune` command."""

from instructune.cli import main

main()
