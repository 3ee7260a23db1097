"""The causation chain: which executions led to an event, oldest first (the extension ``causation``).

An event that an action causes carries the chain of the event that started its execution, and that execution at the
end. A chain too long for its attribute loses its oldest links: loops show in the newest.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

MAX_CHAIN_CHARS: Final = 8192
MAX_LINKS: Final = 100
_SEPARATOR: Final = ","
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LINK: Final = f"{_UUID}/{_UUID}"
# What needs not be read to be extended: links as we write them, and room for one more.
_OURS: Final = re.compile(f"{_LINK}(?:{_SEPARATOR}{_LINK}){{0,{MAX_LINKS - 2}}}")


@dataclass(frozen=True, slots=True)
class Link:
    """One execution of one workflow."""

    workflow_id: UUID
    execution_id: UUID

    def __str__(self) -> str:
        return f"{self.workflow_id}/{self.execution_id}"


def read_chain(text: str | None) -> list[Link]:
    """Read a chain; what is no link in it is passed over, for it may come from anywhere."""
    return list(_links((text or "").split(_SEPARATOR)))


def extend_chain(text: str | None, link: Link | str) -> str:
    """Return the chain with one more link at its end."""
    if not text:
        return str(link)
    if _OURS.fullmatch(text):
        return f"{text}{_SEPARATOR}{link}"
    links = [str(known) for known in read_chain(text)][-(MAX_LINKS - 1) :]
    return _SEPARATOR.join([*links, str(link)])


def _links(parts: Iterable[str]) -> Iterator[Link]:
    for part in parts:
        workflow, _, execution = part.strip().partition("/")
        try:
            yield Link(UUID(workflow), UUID(execution))
        except ValueError:
            continue
