"""The contract of ``MessageTexts``, on the fake and on Postgres."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.message_texts import PostgresTexts
from app.ports import MessageText, MessageTexts
from schemas.message_template import MessageKind
from tests.support.logins import pool_of
from tests.support.memory_texts import MemoryTexts

ANA, BEA = uuid4(), uuid4()
WELCOME = MessageText("Hello", "Hello {{ customer.name }} \u2713", "<p>Hello</p>")


@dataclass(frozen=True, slots=True)
class World:
    """Templates of Ana and Bea."""

    texts: MessageTexts
    memory: MemoryTexts | None = None
    database: psycopg.AsyncConnection[Any] | None = None

    async def store(self, owner: UUID, kind: MessageKind, name: str, text: MessageText) -> None:
        """Store a template."""
        if self.memory is not None:
            self.memory.stored[owner, kind, name] = text
        if self.database is not None:
            await self.database.execute("INSERT INTO auth.users (id) VALUES (%s) ON CONFLICT DO NOTHING", (owner,))
            await self.database.execute(
                "INSERT INTO message_templates (id, created_by, kind, name, subject, text, html)"
                " VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s)",
                (owner, kind, name, text.subject, text.text, text.html),
            )


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """One store after the other."""
    if request.param == "memory":
        memory = MemoryTexts()
        yield World(memory, memory=memory)
        return
    url = request.getfixturevalue("database")
    async with (
        pool_of(url, DatabaseRole.EXECUTOR) as pool,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
    ):
        yield World(PostgresTexts(pool.connection, patient=True), database=connection)


async def test_a_template_is_found_by_owner_kind_and_name(world: World) -> None:
    """As it was stored; what differs in any of the three is another one, or none."""
    await world.store(ANA, "email", "welcome", WELCOME)
    await world.store(ANA, "sms", "welcome", MessageText("", "sms", ""))
    await world.store(BEA, "email", "welcome", MessageText("", "of Bea", ""))
    assert await world.texts.find(ANA, "email", "welcome") == WELCOME
    assert await world.texts.find(ANA, "sms", "welcome") == MessageText("", "sms", "")
    assert await world.texts.find(BEA, "email", "welcome") == MessageText("", "of Bea", "")
    assert await world.texts.find(BEA, "sms", "welcome") is None
    assert await world.texts.find(ANA, "email", "Welcome") is None
