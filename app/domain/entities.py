"""The entity of an event: whom it is about, and so which events stay in order. Pure.

A record's key says it. Where a record has none, and where an event is given a key, the first of the event's attributes
that names one does: ``partitionkey``, ``subject``, ``data.customer.id``, or else its own id.
"""

from typing import Any, NamedTuple


class Entity(NamedTuple):
    """An entity, and the path of the attribute that names it."""

    path: str
    name: str


def entity_of(event_id: str, partitionkey: str | None, subject: str | None, data: Any) -> Entity:
    """Return the entity that an event's attributes name.

    An event that names no entity is one of its own: its id spreads such events evenly.
    """
    if partitionkey:
        return Entity("partitionkey", partitionkey)
    if subject:
        return Entity("subject", subject)
    customer = id_in(data.get("customer")) if isinstance(data, dict) else None
    return Entity("id", event_id) if customer is None else Entity("data.customer.id", customer)


def id_in(thing: Any) -> str | None:
    """Return the id of an object in an event's data; None where there is no such object, or its id names nothing."""
    return id_text(thing.get("id")) if isinstance(thing, dict) else None


def id_text(value: Any) -> str | None:
    """Return an id as text: of a text or a whole number. None of anything else, such as ``true`` or an empty text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None
