"""How a model stays near the one that its training began with: one file a way.

A plug-in has `retain(origin, options)`, which takes a `training.retaining.Origin` and gives a
`Retention`: a coach that adds to the gradients of an update, or to the loss where it `pulls`.
Among its options `data` is a file of old records, of which `rows` are drawn. `STATE_BYTES` is
what it comes to remember of each trained parameter after the start, about.
"""

from instructune.registry import Family

retentions = Family("retention", __name__)
