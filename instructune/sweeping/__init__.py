"""A space of settings and a training in, trials of it and the best of them out."""
