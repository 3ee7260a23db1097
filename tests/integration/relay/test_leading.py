"""Who leads a duty, on real Postgres: one scheduler at a time, whatever a stranger locks, and at no cost to vacuum."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Final, LiteralString

import pytest
from psycopg import sql

from app.adapters.postgres.alerts import PostgresAlerts
from app.adapters.postgres.database_roles import CALLERS, LOGIN_ROLES, DatabaseRole
from app.adapters.postgres.leading import Duty, leading_session
from app.adapters.postgres.outbox import PostgresOutbox
from app.adapters.postgres.quota_releases import PostgresQuotaReleases
from app.adapters.postgres.releases import PostgresReleases
from app.domain.breaker import BreakerPolicy
from app.domain.errors import UnreachableError
from app.ports.outbox import Bounds
from tests.integration.relay import outbox_rows as outbox
from tests.support.hoarding import hoarding
from tests.support.logins import as_role
from tests.support.waiting import eventually, in_time

pytestmark = pytest.mark.postgres

Leads = Callable[[str], AbstractAsyncContextManager[Any]]
DUTIES: Final[dict[Duty, Leads]] = {
    Duty.RELAY: lambda url: PostgresOutbox(url).lead(),
    Duty.CIRCUITS: lambda url: PostgresReleases(url, BreakerPolicy(), rate=10).open(),
    Duty.QUOTAS: lambda url: PostgresQuotaReleases(url, 60).open(),
    Duty.ALERTS: lambda url: PostgresAlerts(url).lead(),
}
# What was locked by those who led, until migration 0045: anybody's to lock.
ADVISORY: Final = ("122550254464888", "422826041707", "487301543009")
_HOLDS_VACUUM_BACK: Final = """
SELECT application_name, wait_event_type FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, 'headrace')
  AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
"""
_WAITING: Final = "SELECT virtualtransaction FROM pg_locks WHERE NOT granted AND relation = 'relay_leader'::regclass"
_ENDED: Final = "SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)"


async def ask(database: str, query: LiteralString, *params: Any) -> list[tuple[Any, ...]]:
    """Ask as the administrator."""
    async with await outbox.connect(database) as connection:
        return await (await connection.execute(query, params)).fetchall()


@pytest.mark.parametrize("duty", Duty)
@pytest.mark.parametrize("role", [CALLERS, *(role for role in LOGIN_ROLES if role is not DatabaseRole.SCHEDULER)])
async def test_no_lock_of_others_keeps_a_scheduler_from_leading(database: str, role: str, duty: Duty) -> None:
    """Whoever is not the scheduler may take every lock there is for them: it leads all the same, at once."""
    with hoarding(database, role, advisory=ADVISORY) as had:
        assert had
        async with AsyncExitStack() as stack:
            entering = stack.enter_async_context(DUTIES[duty](as_role(database, DatabaseRole.SCHEDULER)))
            await in_time(entering, 20, what=f"{duty} in spite of {len(had)} locks of {role}")


async def test_who_leads_keeps_no_row_from_vacuum(database: str) -> None:
    """It holds neither a snapshot nor a transaction id, also after rows were read and deleted."""
    store = PostgresOutbox(database)
    async with store.lead() as session:
        await outbox.put_now(database, "t", b"1")
        await session.delete([row.id for row in await session.pending(Bounds(5))])
        assert await ask(database, _HOLDS_VACUUM_BACK) == []


async def test_who_no_longer_leads_acts_on_nothing(database: str) -> None:
    """The lock's connection is cut, the other stands: what is read counts no more, and somebody else leads."""
    store = PostgresOutbox(database)
    await outbox.put_now(database, "t", b"1")
    async with store.lead() as session:
        assert len(await session.pending(Bounds(5))) == 1
        await outbox.cut_lock(database)
        async with store.lead() as other:
            with pytest.raises(UnreachableError):
                await session.pending(Bounds(5))
            assert len(await other.pending(Bounds(5))) == 1


async def test_no_limit_of_the_server_ends_a_lead(database: str) -> None:
    """Whatever the database ends after 50 ms of idling in a transaction, it is not who leads."""
    async with await outbox.connect(database) as connection:
        name = sql.Identifier(connection.info.dbname)
        await connection.execute(sql.SQL("ALTER DATABASE {} SET idle_in_transaction_session_timeout = 50").format(name))
    async with PostgresOutbox(database).lead() as session:
        other = await outbox.connect(database)
        await other.execute("SELECT 1")
        await eventually(lambda: ask(database, _ENDED, other.info.backend_pid), what="the end of another that idles")
        await other.close()
        assert await session.pending(Bounds(5)) == []


async def test_who_waits_keeps_rows_from_vacuum_for_a_moment_only(database: str) -> None:
    """It waits again and again, each time in a transaction of its own, and leads as soon as it can."""

    async def lead() -> None:
        async with leading_session(database, Duty.RELAY, "headrace second", "headrace_outbox", look_again_s=1):
            pass

    async with PostgresOutbox(database).lead():
        waiting = asyncio.create_task(lead())
        first = await eventually(lambda: ask(database, _WAITING), what="the other to wait")
        await eventually(lambda: waits_anew(database, first), what="it to wait in another transaction")
        assert not waiting.done()
    await in_time(waiting, 20, what="the other to lead")


async def waits_anew(database: str, before: list[tuple[Any, ...]]) -> bool:
    """Whether somebody waits for the relay's lock, in another transaction than before."""
    now = await ask(database, _WAITING)
    return bool(now) and now != before
