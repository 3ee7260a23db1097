"""RATE_LIMIT_PER_MINUTE, over HTTP."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from app.adapters.postgres.api_engine import ApiDatabase
from app.admin.routes import build_app
from app.processes.admin_services import assemble
from app.services.operations.background import Failures
from app.settings import Settings
from tests.admin.conftest import Api
from tests.support.depths import MemoryDepths
from tests.support.sender import MemorySender

PATH = "/api/v1/event-types"


@pytest.fixture
async def limited(settings: Settings) -> AsyncIterator[Api]:
    """An API that takes three requests a minute of each caller."""
    few = settings.model_copy(update={"rate_limit_per_minute": 3, "pool_size": 1})
    pool, now, sender, depths = ApiDatabase(few), [0.0], MemorySender(), MemoryDepths()
    failures = Failures(lambda: now[0])
    state = assemble(few, pool, sender, depths, clock=lambda: now[0], failures=failures)
    async with TestClient(TestServer(build_app(state))) as client:
        yield Api(client, few, sender, depths, now, failures)
    await pool.close()


async def test_who_asks_too_often_hears_when_to_come_back(limited: Api) -> None:
    """429 as a problem document with Retry-After; others are served, and so is the caller after that time."""
    user = limited.user()
    answers = [await user.call("GET", PATH) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert (answers[3].headers["Retry-After"], answers[3].headers["Content-Type"]) == ("20", "application/problem+json")
    assert (await limited.user().call("GET", PATH)).status == 200
    limited.now[0] += 20
    assert (await user.call("GET", PATH)).status == 200


async def test_what_watches_the_process_is_not_limited(limited: Api) -> None:
    """Health, readiness and metrics answer however often they are asked."""
    for path in ("/healthz", "/metrics"):
        for _ in range(10):
            async with limited.client.get(path) as response:
                assert response.status == 200
