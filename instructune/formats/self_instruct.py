"""Self-Instruct tasks: `instruction` and `instances` of {input, output}."""

from __future__ import annotations

from typing import Any

TAKES = ("instruction", "instances")


def recognises(keys: frozenset[str]) -> bool:
    """An instruction with its instances, but no output of its own."""
    return {"instruction", "instances"} <= keys and not keys & {"input", "output"}


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A record for each instance; those of a task share a `group`."""
    instruction, instances = row["instruction"], row["instances"]
    if type(instruction) is not str:
        raise ValueError("instruction must be a string")
    if type(instances) is not list or not all(type(item) is dict for item in instances):
        raise ValueError("instances must be a list of objects")
    if not instances:
        raise ValueError("instances is empty")
    records = []
    for instance in instances:
        extra, output = instance.get("input") or "", instance.get("output")
        if type(extra) is not str:
            raise ValueError("an instance's input must be a string")
        prompt = f"{instruction}\n{extra}" if extra else instruction
        messages = [{"role": "user", "content": prompt}]
        if output is not None:
            messages.append({"role": "assistant", "content": output})
        made: dict[str, Any] = {"messages": messages}
        if len(instances) > 1:
            made["group"] = str(row["id"]) if row.get("id") else instruction[:80]
        others = {key: instance[key] for key in instance if key not in ("input", "output")}
        records.append(made | ({"instance": others} if others else {}))
    return records
