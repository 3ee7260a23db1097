"""The contract of ``NotedCallers``, on the fake and on Postgres."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.pool import open_pool
from app.adapters.postgres.rights import PostgresCallers
from app.domain.callers import PERMISSIONS, Caller
from app.ports import NotedCallers
from app.settings import Settings
from tests.support.fake_rights import MemoryCallers


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def callers(request: pytest.FixtureRequest) -> AsyncIterator[NotedCallers]:
    """One store after the other."""
    if request.param == "memory":
        yield MemoryCallers()
        return
    async with open_pool(
        Settings(database_url=SecretStr(request.getfixturevalue("database"))), DatabaseRole.API
    ) as pool:
        yield PostgresCallers(pool.connection, patient=True)


async def test_callers_are_read_as_they_were_noted(callers: NotedCallers) -> None:
    """Role and permissions; many in one read; who never called is left out."""
    ana, bea = Caller(uuid4(), "user", PERMISSIONS), Caller(uuid4(), "admin")
    for caller in (ana, bea):
        await callers.note(caller)
    assert await callers.read([ana.user_id, bea.user_id, uuid4()]) == {ana.user_id: ana, bea.user_id: bea}
    assert await callers.read([]) == {}


async def test_the_last_call_counts(callers: NotedCallers) -> None:
    """A token that says less takes away what an earlier one said, role and permissions."""
    owner = uuid4()
    for caller in (Caller(owner, "admin"), Caller(owner, "user", frozenset({"crm:read"})), Caller(owner, "user")):
        await callers.note(caller)
        assert await callers.read([owner]) == {owner: caller}
