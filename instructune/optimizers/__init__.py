"""How gradients change parameters: one file an optimizer.

A plug-in has `build(groups, options)`, which makes a `torch.optim.Optimizer` of parameter groups
that tell their own `weight_decay`; the rate is set before each step. All that it remembers is in
its `state`, as tensors and whole numbers: a checkpoint takes it from there and puts it back.
`RATE` is how many times the default learning rate is its own, `STATE_BYTES` what it remembers of
each parameter, about.
"""

from instructune.registry import Family

optimizers = Family("optimizer", __name__)
