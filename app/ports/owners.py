"""Whose workflow a command is of, as a header of its record says it to what must know without decoding it."""

from collections.abc import Sequence
from typing import Any, Final, Protocol
from uuid import UUID

_OWNER: Final = "headrace-owner"


class _Headed(Protocol):
    @property
    def headers(self) -> Any:
        """Headers, repeats kept, as (name, bytes) pairs."""


def owner_header(owner: UUID | None) -> Sequence[tuple[str, bytes]]:
    """Return the headers that name an owner; without one, none."""
    return () if owner is None else ((_OWNER, owner.bytes),)


def owner_of(record: _Headed) -> bytes | None:
    """Return the bytes of the id of whose workflow a command is of; None where its record does not say."""
    for name, content in record.headers:
        if name == _OWNER:
            owner: bytes | None = content
            return owner
    return None
