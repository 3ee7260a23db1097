"""The CRM that actions work on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TagRequest:
    """Put a tag on a customer."""

    customer_id: str
    tag: str


@dataclass(frozen=True, slots=True)
class NoteRequest:
    """Write a note on a customer. ``note_id`` is the command id: one command, one note."""

    note_id: UUID
    customer_id: str
    text: str


class Crm(Protocol):
    """The CRM: the built-in reference system, or the user's own.

    Methods take many requests, so that one statement can serve a batch; answers come in the same order.
    """

    async def apply_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Apply tags; True where the customer did not have the tag yet."""

    async def create_notes(self, requests: Sequence[NoteRequest]) -> None:
        """Write notes."""
