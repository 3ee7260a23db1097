"""Trigger configs: what else an event must be to start a workflow, beside its type. Pure.

- ``tag.applied``, ``tag.removed``: ``{tag}``, the tag it must be.
- ``customer.updated``: ``{fields}``, one of which must have changed, as the event's ``changed`` (names) or ``previous``
  (old values by name) tells. An event that tells neither starts nothing that asks for fields.
"""

from collections.abc import Mapping
from typing import Any


def check_trigger(config: Mapping[str, Any]) -> None:
    """See that ``wants`` can judge by a config that was stored: SQL may have written it.

    Raises:
        ValueError: It cannot; the message names the member.
    """
    fields = config.get("fields")
    if fields is not None and not (isinstance(fields, list) and all(isinstance(name, str) for name in fields)):
        raise ValueError("fields must be a list of names of fields")


def wants(config: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Tell whether an event of the trigger's type, with this data, starts a workflow with this config."""
    tag = config.get("tag")
    if tag is not None and data.get("tag") != tag:
        return False
    fields = config.get("fields")
    return fields is None or not _changed(data).isdisjoint(fields)


def _changed(data: Mapping[str, Any]) -> set[str]:
    changed = data.get("changed")
    if isinstance(changed, list):
        return {name for name in changed if isinstance(name, str)}
    previous = data.get("previous")
    return set(previous) if isinstance(previous, dict) else set()
