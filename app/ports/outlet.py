"""The outlet of an agent: what takes the records that follow from a batch."""

from collections.abc import Sequence
from typing import Protocol

from app.ports.kafka import Record


class Outlet(Protocol):
    """Takes records; :class:`app.services.delivery.sending.Delivery` is one."""

    async def send_all(self, records: Sequence[Record]) -> None:
        """Send records in order; when this returns, each is durable, or what says that it is refused."""
