"""What a workflow may reach for its owner, who is not there when it runs. Pure.

A workflow may always see and change the **entity of its own event**: the record key, which says whom the event is
about. It is not the owner who chooses that, but the sender of the event, and sending is a permission. Its
``data.customer.id`` may name another one: others are what the owner's permissions are for. Of a run by hand it is
the caller who chooses the key, so that its event has no entity of its own.
"""

from dataclasses import dataclass
from typing import Any, Final

from app.domain.callers import Permission

CHOSEN_BY_CALLER: Final = frozenset({"/headrace/manual"})


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that something needs of the workflow's owner.

    Attributes:
        field: What of it needs it, as a path.
        why: What about that field does.
    """

    permission: Permission
    field: str
    why: str

    @property
    def lacking(self) -> str:
        """What is said where the owner does not have it."""
        return f"{self.field} {self.why}, and the workflow's owner lacks the permission {self.permission}"


def own_entity(source: Any, entity: str) -> str | None:
    """Return the entity of an event that is its own; None where its owner may have chosen it.

    Args:
        source: The event's source.
        entity: Its record key.
    """
    return None if source in CHOSEN_BY_CALLER else entity
