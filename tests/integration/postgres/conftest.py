"""Both worlds of receipts, and a pool over the test's database."""

import socket
from collections.abc import AsyncIterator

import pytest

from app.adapters.postgres.pool import Pool, open_pool
from app.settings import Settings
from tests.support.receipt_worlds import MemoryWorld, PostgresWorld, World


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """One world after the other."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    url: str = request.getfixturevalue("database")
    async with open_pool(Settings(DATABASE_URL=url)) as pool:
        yield PostgresWorld(pool)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A worker's pool."""
    async with open_pool(Settings(DATABASE_URL=database)) as opened:
        yield opened


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
