"""Message templates in memory, held to the same contract tests as those in Postgres."""

import asyncio
from uuid import UUID

from app.ports import MessageText
from schemas.message_template import MessageKind


class MemoryTexts:
    """Implements ``app.ports.MessageTexts``.

    Attributes:
        stored: By owner, kind and name.
        asked: The names that were looked up, in order.
    """

    def __init__(self) -> None:
        self.stored: dict[tuple[UUID, MessageKind, str], MessageText] = {}
        self.asked: list[str] = []

    async def find(self, owner: UUID, kind: MessageKind, name: str) -> MessageText | None:
        """Return the owner's template of that kind and name."""
        self.asked.append(name)
        await asyncio.sleep(0)  # others run meanwhile, as they do while Postgres is asked
        return self.stored.get((owner, kind, name))
