"""Message templates: where they are kept, for those who write them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.paging import Position
from schemas.message_template import MessageKind, MessageTemplate


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which message templates to list; None does not filter. ``search`` looks into names."""

    kind: MessageKind | None = None
    search: str | None = None


class MessageTransaction(Protocol):
    """One transaction on message templates, on a caller's behalf: what the caller may not see is not there."""

    async def get(self, template_id: UUID) -> MessageTemplate | None:
        """Return a template, locked until the transaction ends."""

    async def insert(self, template: MessageTemplate) -> MessageTemplate:
        """Store a new template, and return it as it is stored: its version and times are the database's.

        Raises:
            ConflictError: The owner has one of that kind and name, or as many as a user may.
        """

    async def update(self, template: MessageTemplate) -> MessageTemplate:
        """Store a template's new version; raises as ``insert``."""

    async def delete(self, template_id: UUID) -> None:
        """Remove a template."""

    async def workflows_with(self, template: MessageTemplate, action_type: str) -> Sequence[str]:
        """Return names of some of the owner's workflows in which an action of that type uses it."""


class MessageStore(Protocol):
    """Where message templates are kept."""

    def transaction(self, caller: Caller) -> AbstractAsyncContextManager[MessageTransaction]:
        """Open a transaction: it commits at the end of the block, and not at all where the block raises."""

    async def get(self, caller: Caller, template_id: UUID) -> MessageTemplate | None:
        """Return a template that the caller may see."""

    async def find(
        self, caller: Caller, wanted: MessageFilter, after: Position | None, limit: int
    ) -> Sequence[MessageTemplate]:
        """Return at most ``limit`` templates, newest first, from after a position on."""
