"""Servers that die, and a Postgres that lets nobody in or takes no writes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import psutil
import psycopg

from app.embedded.broker import KafkaNode
from app.embedded.postgres import PostgresNode
from tests.faults.scenario import Harm, Injury, Place, now, over
from tests.support.deadlines import scaled
from tests.support.logins import as_process
from tests.support.servers import Servers

_DOWN_S: Final = (1.0, 8.0)
_GONE_WITHIN_S: Final = 30.0
_AGAIN_S: Final = 0.25
_THROW_OUT: Final = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'storm'"""


def no_broker_of_ours(on: Servers) -> str | None:
    """Say what is needed to kill the broker."""
    return None if isinstance(on.kafka, KafkaNode) else "a broker of ours: unset KAFKA_BOOTSTRAP_SERVERS, install Java"


def no_postgres_of_ours(on: Servers) -> str | None:
    """Say what is needed to do worse to Postgres than any client can."""
    return None if isinstance(on.postgres, PostgresNode) else "a Postgres of ours: unset DATABASE_URL"


def kill_server(service: object, times: int) -> Injury:
    """Kill -9 a server of ours, and start it again some seconds later."""

    async def injure(place: Place) -> Harm:
        assert isinstance(service, KafkaNode | PostgresNode)
        began, killed = now(), Counter[str]()
        for turn in range(times):
            await place.until((turn + place.chance.uniform(0.2, 0.8)) / (times + 0.5), began)
            await asyncio.to_thread(_kill, service)
            killed[service.name] += 1
            await asyncio.sleep(place.chance.uniform(*_DOWN_S))
            service.spawn()
            await asyncio.to_thread(service.wait_ready)
        return Harm(killed, now())

    return injure


def _kill(service: KafkaNode | PostgresNode) -> None:
    """Kill a server; its processes end with it, by themselves, before another may take their place."""
    assert service.pid is not None
    others = psutil.Process(service.pid).children(recursive=True)
    service.kill()
    _, left = psutil.wait_procs(others, timeout=scaled(_GONE_WITHIN_S))
    assert not left, f"processes of {service.name} outlive it: {left}"


def storm(seconds: float) -> Injury:
    """Take every connection that Postgres gives, and throw out who had one before, again and again."""

    async def injure(place: Place) -> Harm:
        await asyncio.sleep(place.seconds / 4)
        url, until = place.stack.database_url, now() + seconds
        async with administrator_of(url) as administrator, _held() as held:
            while now() < until:
                await administrator.execute(_THROW_OUT)
                with suppress(psycopg.OperationalError):
                    while now() < until:
                        held.append(await _one_more(as_process(url, "sink")))
                await asyncio.sleep(_AGAIN_S)
        return over()

    return injure


async def _one_more(url: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(url, application_name="storm")


@asynccontextmanager
async def _held() -> AsyncIterator[list[psycopg.AsyncConnection[Any]]]:
    held: list[psycopg.AsyncConnection[Any]] = []
    try:
        yield held
    finally:
        for one in held:
            await one.close()


def read_only(seconds: float) -> Injury:
    """Let Postgres refuse every write for a while, as a standby that was made the primary too late does."""

    async def injure(place: Place) -> Harm:
        await asyncio.sleep(place.seconds / 4)
        async with administrator_of(place.stack.database_url) as administrator:
            try:
                await _set(administrator, "ALTER SYSTEM SET default_transaction_read_only = on")
                await asyncio.sleep(seconds)
            finally:
                await _set(administrator, "ALTER SYSTEM RESET default_transaction_read_only")
        return over()

    return injure


async def _set(administrator: psycopg.AsyncConnection[Any], statement: str) -> None:
    await administrator.execute(statement.encode())
    await administrator.execute("SELECT pg_reload_conf()")


@asynccontextmanager
async def administrator_of(url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Connect as who may do everything, whatever the server's settings."""
    options = "-c default_transaction_read_only=off"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, options=options) as connection:
        yield connection
