"""A business played through the API: the reference systems, and what they announce."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson
import psycopg

from app.topics import Topics
from schemas.event import Event
from tests.admin.conftest import Answer, User

CRM, SALES, AFFILIATES = "/api/v1/crm", "/api/v1/sales", "/api/v1/affiliates"


@dataclass
class Business:
    """Somebody who runs a business over the API, with ids of its own.

    Attributes:
        name: Unlike that of any other business; its ids begin with it.
    """

    user: User
    connection: psycopg.AsyncConnection[Any]
    name: str = field(default_factory=lambda: uuid4().hex[:10])

    def id(self, what: str) -> str:
        """Return an id of this business."""
        return f"{self.name}-{what}"

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call the API; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.user.call(method, path, body, headers=named)

    async def do(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the API, which must say yes; returns what it answers."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status in {200, 201, 204}, (method, path, answer)
        return answer.json

    async def order(self, what: str = "o-1", **fields: Any) -> Any:
        """Take an order in, of the customer c-1."""
        draft = {"id": self.id(what), "customer_id": self.id("c-1"), "total": "100.00", **fields}
        return await self.do("POST", f"{SALES}/orders", draft)

    async def events(self) -> list[Event]:
        """Return what was announced about this business, in order; each under its key, on its topic."""
        cursor = await self.connection.execute("SELECT topic, key, value FROM outbox ORDER BY id")
        events = []
        for topic, key, value in await cursor.fetchall():
            if key.startswith(self.name.encode()):
                event = Event.model_validate(orjson.loads(value))
                assert (topic, key.decode()) == (Topics("t.").internal_events, event.subject)
                events.append(event)
        return events

    async def types(self) -> list[str]:
        """Return the types of what was announced."""
        return [event.type for event in await self.events()]


@asynccontextmanager
async def running_business(user: User, database: str) -> AsyncIterator[Business]:
    """Open a business of one's own."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        yield Business(user, connection)
