"""Reports of `prepare` and `eval`: one HTML file each, that loads nothing and runs nothing."""
