"""The contract of ``AuditNotes``, on the fake and on Postgres."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.audit import PostgresAuditNotes
from app.adapters.postgres.database_roles import DatabaseRole
from app.domain.callers import Caller
from app.ports.audit import AuditNotes, FailedSignIn, Noted
from app.settings import Settings
from tests.support.logins import as_role
from tests.support.memory_notes import MemoryNotes

ANA = Caller(uuid4(), "user")
RETRIED = Noted("retried", "execution", "x-1", "Big order", 2, {"step": 1})


@dataclass(frozen=True, slots=True)
class World:
    """Where callers' doings are noted."""

    notes: AuditNotes
    memory: MemoryNotes = field(default_factory=MemoryNotes)
    database: psycopg.AsyncConnection[Any] | None = None

    async def noted(self) -> list[tuple[UUID, Noted]]:
        """What callers did."""
        if self.database is None:
            return self.memory.noted
        rows = await self._rows("action <> 'sign_in_failed'")
        return [
            (actor, Noted(action, kind, one, name, version, {key: value["new"] for key, value in said.items()}))
            for actor, action, kind, one, name, version, said in rows
        ]

    async def failed(self) -> dict[tuple[str, str, str], int]:
        """How many sign-ins failed, by account, address and reason."""
        if self.database is None:
            return {(account, address, str(why)): n for (account, address, why), n in self.memory.failed.items()}
        rows = await self._rows("action = 'sign_in_failed'")
        said = [
            (account, {name: one["new"] for name, one in changes.items()}) for _, _, _, account, *_, changes in rows
        ]
        return {(account, one["address"], one["why"]): one["attempts"] for account, one in said}

    async def _rows(self, which: str) -> list[Any]:
        assert self.database is not None
        found = await self.database.execute(
            f"SELECT actor, action, kind, object_id, name, version, changes FROM audit_trail WHERE {which}".encode()  # noqa: S608
        )
        return await found.fetchall()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """One after the other."""
    if request.param == "memory":
        memory = MemoryNotes()
        yield World(memory, memory)
        return
    url = request.getfixturevalue("database")
    pool = ApiDatabase(Settings(DATABASE_URL=as_role(url, DatabaseRole.API)))
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        yield World(PostgresAuditNotes(pool), database=connection)
    await pool.close()


async def test_what_a_caller_does_is_noted_in_their_name(world: World) -> None:
    """As it was said."""
    await world.notes.note(ANA, RETRIED)
    assert await world.noted() == [(ANA.user_id, RETRIED)]


async def test_sign_ins_that_fail_are_counted(world: World) -> None:
    """By account, address and reason; of an account that cannot be told too."""
    for attempts in (1, 4):
        await world.notes.note_failed(FailedSignIn("ada@example.com", "192.0.2.1", "no_such_user", attempts))
    await world.notes.note_failed(FailedSignIn("ada@example.com", "192.0.2.2", "too_many"))
    await world.notes.note_failed(FailedSignIn("", "192.0.2.1", "bad_link"))
    assert await world.failed() == {
        ("ada@example.com", "192.0.2.1", "no_such_user"): 5,
        ("ada@example.com", "192.0.2.2", "too_many"): 1,
        ("unknown", "192.0.2.1", "bad_link"): 1,
    }
