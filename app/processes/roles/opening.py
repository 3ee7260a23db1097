"""What the parts of every role are opened with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.adapters.kafka.persistent import PersistentSender
from app.adapters.kafka.producer import KafkaSender
from app.ports import Sender
from app.settings import Settings


@asynccontextmanager
async def open_sender(settings: Settings, role: str) -> AsyncIterator[Sender]:
    """Open a sender that waits outages out."""
    async with KafkaSender(settings.kafka_connection, client_id=f"{role}-{settings.instance}") as sender:
        yield PersistentSender(sender)
