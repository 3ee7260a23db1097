"""What alerts stand at, and what is read for them, over the connection of the scheduler that judges."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from app.adapters.postgres import alerts_sql as sql
from app.adapters.postgres.heartbeats import read_heartbeats
from app.adapters.postgres.leading import Duty, Leadership, leading_session
from app.adapters.postgres.listening import unreachable
from app.domain.alert_states import Reading, Standing, Wrong
from app.domain.breaker import parts_of
from app.ports.alerts import AlertSession, Telling
from app.ports.heartbeats import Heartbeat

_WHAT: Final = "the alerts"


class PostgresAlerts:
    """Implements ``app.ports.alerts.AlertStore``.

    Args:
        database_url: Any libpq connection string.
        name: What Postgres shows as ``application_name``.
    """

    def __init__(self, database_url: str, *, name: str = "headrace alerts") -> None:
        self._database_url = database_url
        self._name = name

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[AlertSession]:
        """Wait for the lock on a connection of its own."""
        opening = leading_session(self._database_url, Duty.ALERTS, self._name, "headrace_alerts")
        async with opening as (connection, lead):
            yield _Session(connection, lead)


class _Session:
    def __init__(self, connection: psycopg.AsyncConnection[Any], lead: Leadership) -> None:
        self._connection = connection
        self._lead = lead

    async def now(self) -> float:
        ((now,),) = await self._rows(sql.NOW)
        return float(now)

    async def standings(self) -> Mapping[str, Standing]:
        rows = await self._rows(sql.STANDINGS)
        return {name: _standing(subjects, past) for name, subjects, past in rows}

    async def keep(self, standings: Mapping[str, Standing]) -> None:
        await self._lead.confirm()
        for name, standing in standings.items():
            subjects = {
                subject: [wrong.since, wrong.seen, wrong.value, wrong.firing]
                for subject, wrong in standing.subjects.items()
            }
            past = [[at, dict(reading)] for at, reading in standing.past]
            await self._run(sql.KEEP, (name, Jsonb(subjects), Jsonb(past)))

    async def telling(self, channel: str) -> Telling:
        rows = await self._rows(sql.TELLING, (channel,))
        return Telling(*rows[0]) if rows else Telling()

    async def keep_telling(self, channel: str, telling: Telling) -> None:
        told = Jsonb({alert: list(subjects) for alert, subjects in telling.told.items()})
        await self._run(sql.KEEP_TELLING, (channel, told, telling.tries, telling.next_at, telling.error))

    async def heartbeats(self) -> Sequence[Heartbeat]:
        with unreachable(_WHAT):
            return await read_heartbeats(self._connection)

    async def readings(self) -> Mapping[str, Reading]:
        ((failure_rate, seconds, outbox_age, set_aside),) = await self._rows(sql.READINGS)
        breakers = await self._rows(sql.BREAKERS)
        return {
            "failure_rate": {"": failure_rate},
            "execution_seconds": {"": seconds},
            "outbox_age": {"": outbox_age},
            "set_aside": {"": float(set_aside)},
            "breakers": {parts_of(destination)[0]: 2.0 for (destination,) in breakers},
        }

    async def tell_owners(self, quiet_s: float) -> tuple[int, int]:
        await self._run(sql.FORGET_DELETED)
        began = await self._run(sql.TELL_FAILING)
        return began, await self._run(sql.TELL_WORKING, (quiet_s,))

    async def _rows(self, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        with unreachable(_WHAT):
            return await (await self._connection.execute(statement.encode(), values)).fetchall()

    async def _run(self, statement: str, values: Any = ()) -> int:
        with unreachable(_WHAT):
            return (await self._connection.execute(statement.encode(), values)).rowcount


def _standing(subjects: Mapping[str, Any], past: Sequence[Any]) -> Standing:
    return Standing({name: Wrong(*found) for name, found in subjects.items()}, tuple((at, of) for at, of in past))
