"""Which parameters become trainable: one file a method.

A plug-in says by `ADAPTER` whether it is saved as an adapter beside the model or as a model, by
`MERGES` whether an adapter can be worked into the model's weights, and where it is from by
`PAPER`. It has

- `apply(model, options)`: the model with what is to be trained of it, and nothing else, asking
  for gradients; options that do not fit the model raise UserError;
- `Options`, a frozen dataclass, where it has any; `virtual_tokens` among them are taken from the
  length that is left for text;
- `during(model, options, steps)`, where there is something to do between the updates: a
  `training.coaching.Coach`.
"""

from instructune.registry import Family

methods = Family("method", __name__)
