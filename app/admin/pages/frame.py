"""What stands around every page: where one can go from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.domain.callers import Caller, Permission


@dataclass(frozen=True, slots=True)
class Place:
    """Where one can go.

    Attributes:
        icon: The name of its icon.
        for_admins: Only administrators find it.
        permission: What a user needs to find it.
        of_stand_ins: It is there only where stand-ins take what goes out.
    """

    title: str
    path: str
    icon: str
    for_admins: bool = False
    permission: Permission | None = None
    of_stand_ins: bool = False

    def is_open_to(self, caller: Caller) -> bool:
        """Tell whether somebody finds it."""
        if self.for_admins:
            return caller.role == "admin"
        return self.permission is None or caller.may(self.permission)

    def is_here(self, path: str) -> bool:
        """Tell whether a path is this place, or below it."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


PLACES: Final = (
    Place("Overview", "/", "overview"),
    Place("Workflows", "/workflows", "workflow"),
    Place("Executions", "/executions", "execution"),
    Place("Events", "/events", "event", permission="crm:read"),
    Place("Customers", "/customers", "customer", permission="crm:read"),
    Place("Templates", "/templates", "template"),
    Place("Queue", "/queue", "queue", permission="operate"),
    Place("Settings", "/settings", "settings"),
    Place("Outbox", "/outbox", "outbox", for_admins=True, of_stand_ins=True),
)


def rail(caller: Caller, path: str, *, stand_ins: bool) -> Iterator[tuple[Place, bool]]:
    """Yield the places that somebody finds, and which of them they are at."""
    there = (place for place in PLACES if stand_ins or not place.of_stand_ins)
    return ((place, place.is_here(path)) for place in there if place.is_open_to(caller))
