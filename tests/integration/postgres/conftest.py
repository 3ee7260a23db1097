"""Both worlds of receipts, and a pool over the test's database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

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
    async with AsyncExitStack() as stack:
        yield PostgresWorld(url, stack)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A worker's pool."""
    async with open_pool(Settings(DATABASE_URL=database)) as opened:
        yield opened
