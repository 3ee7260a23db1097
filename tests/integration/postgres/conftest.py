"""Both worlds of receipts, a pool over the test's database, and a connection to one with users in it."""

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.pool import Pool
from tests.integration.postgres.users import peopled
from tests.support.logins import pool_of
from tests.support.receipt_worlds import MemoryWorld, PostgresWorld, World


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """One world after the other."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    url: str = request.getfixturevalue("database")
    async with pool_of(url, DatabaseRole.EXECUTOR) as pool:
        yield PostgresWorld(pool)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """An executor's pool."""
    async with pool_of(database, DatabaseRole.EXECUTOR) as opened:
        yield opened


@pytest.fixture
async def matcher_pool(database: str) -> AsyncIterator[Pool]:
    """A matcher's pool."""
    async with pool_of(database, DatabaseRole.MATCHER) as opened:
        yield opened


@pytest.fixture
async def sink_pool(database: str) -> AsyncIterator[Pool]:
    """A sink's pool."""
    async with pool_of(database, DatabaseRole.SINK) as opened:
        yield opened


@pytest.fixture
async def scheduler_pool(database: str) -> AsyncIterator[Pool]:
    """A scheduler's pool."""
    async with pool_of(database, DatabaseRole.SCHEDULER) as opened:
        yield opened


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database in which Ana and Bea own one of everything, and a public template each."""
    with peopled(database) as opened:
        yield opened


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
