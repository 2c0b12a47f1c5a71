"""Super-NaturalInstructions tasks, both versions: `Definition` and `Instances`."""

from __future__ import annotations

from typing import Any

TAKES = ("Definition", "Instances")


def recognises(keys: frozenset[str]) -> bool:
    """The two keys that all tasks have."""
    return {"Definition", "Instances"} <= keys


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A record for each instance: definition and input, a blank line between, are asked.

    All outputs are `references`. What the file says of the task, its examples too, goes along
    with each record; `definition` and `input` stay beside.
    """
    definition, instances = row["Definition"], row["Instances"]
    if type(definition) is list and all(type(part) is str for part in definition):
        definition = "\n".join(definition)
    if type(definition) is not str:
        raise ValueError("Definition must be a string or a list of strings")
    if type(instances) is not list or not instances:
        raise ValueError("Instances must be a list of objects")
    return [_record(item, definition, i) for i, item in enumerate(instances)]


def _record(instance: Any, definition: str, index: int) -> dict[str, Any]:
    if type(instance) is not dict or type(instance.get("input")) is not str:
        raise ValueError(f"Instances[{index}] must have an input")
    outputs = instance.get("output")
    outputs = outputs if type(outputs) is list else [outputs]
    if not outputs or not all(type(output) is str for output in outputs):
        raise ValueError(f"Instances[{index}].output must be a string or a list of strings")
    prompt = f"{definition}\n\n{instance['input']}"
    made: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": outputs[0]},
        ]
    }
    if type(instance.get("id")) in (str, int):
        made = {"id": str(instance["id"])} | made
    if len(outputs) > 1:
        made["references"] = list(dict.fromkeys(outputs))
    return made | {"definition": definition, "input": instance["input"]}
