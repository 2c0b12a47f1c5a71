"""How input embeddings are moved to make a model's loss worse: one file an attack.

A plug-in has `moved(perturbation, gradient, options)`, which takes what was added to the vectors
of B rows and the gradient of the loss there, both (B, T, H) in float32, and gives what is to be
added next; and `steps(options)`, how often that is done.
"""

from instructune.registry import Family

adversaries = Family("attack", __name__)
