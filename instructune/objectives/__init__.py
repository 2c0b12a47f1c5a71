"""What training minimises, and what a model so trained answers: one file an objective.

A plug-in has `HEAD`, the kind of model it trains (`architectures.IN_WORDS`), and

- `class Objective(options, given)`: `encoding(learns)` turns records into token rows, `head` is
  the model's top once the training data was encoded, `collate` makes batches of rows and
  `loss(model)` the function from a batch to its weighted sum of losses, a 0-d tensor;
  `facts` is what the run keeps of it for its answers; where the loss is a plain cross-entropy,
  `loss(model, smoothing=0.0)` spreads that share of the targets over all classes, and
  `scores(model, batch)` gives the scores (N, C) of the units with a weight, for --r-drop;
- `class Answers(facts, given)`, unless the model answers by writing text: `rows(record)` is what
  is read, `of(model, rows, pad_id)` what each row is answered, `joined(record, parts)` the
  prediction's fields; and where `--explain` makes sense, `target(record, rows, parts)` is the
  number that stands for an answer.

torch is imported when a batch is made, not before.
"""

from instructune.registry import Family

objectives = Family("objective", __name__)
