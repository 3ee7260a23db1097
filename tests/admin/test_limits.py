"""RATE_LIMIT_PER_MINUTE, over HTTP."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from app.settings import Settings
from tests.admin.conftest import Api, serving
from tests.support.records import cloud_event
from tests.support.sessions import signed_in

PATH = "/api/v1/action-types"
EVENTS = "/api/v1/events"
CLOUD = {"Content-Type": "application/cloudevents+json"}


@pytest.fixture
async def limited(settings: Settings) -> AsyncIterator[Api]:
    """An API that takes three requests a minute of each caller, five with events, and six reads of a session."""
    limits = {
        "rate_limit_per_minute": 3,
        "event_requests_per_minute": 5,
        "page_reads_per_minute": 6,
        "pool_size": 1,
    }
    few = settings.model_copy(update=limits)
    async with serving(few) as api:
        yield api


async def test_who_asks_too_often_hears_when_to_come_back(limited: Api) -> None:
    """429 as a problem document with Retry-After; others are served, and so is the caller after that time."""
    user = limited.user()
    answers = [await user.call("GET", PATH) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert (answers[3].headers["Retry-After"], answers[3].headers["Content-Type"]) == ("20", "application/problem+json")
    assert (await limited.user().call("GET", PATH)).status == 200
    limited.now[0] += 20
    assert (await user.call("GET", PATH)).status == 200


async def test_events_have_a_limit_of_their_own(limited: Api) -> None:
    """What comes to ``POST /events`` takes nothing from a caller's other requests, nor they from it."""
    sender = limited.user("user", "events:write")
    answers = [await sender.call("POST", EVENTS, cloud_event(), headers=CLOUD) for _ in range(6)]
    assert [answer.status for answer in answers] == [202] * 5 + [429]
    assert (answers[5].headers["Retry-After"], answers[5].json["detail"]) == (
        "12",
        "At most 5 requests with events a minute are taken; try again in 12 s",
    )
    assert [(await sender.call("GET", PATH)).status for _ in range(4)] == [200] * 3 + [429]
    limited.now[0] += 12
    assert (await sender.call("POST", EVENTS, cloud_event(), headers=CLOUD)).status == 202


async def test_reading_a_page_is_no_request_of_a_script(limited: Api, api_database: str) -> None:
    """A session's reads have a limit of their own; what it changes counts like everybody's."""
    person = await signed_in(api_database, limited.settings)

    async def call(method: str, path: str) -> int:
        async with limited.client.request(method, path, headers=person.headers) as answer:
            return int(answer.status)

    assert [await call("GET", PATH) for _ in range(7)] == [200] * 6 + [429]
    nothing = f"/api/v1/workflows/{uuid4()}/activate"
    assert [await call("POST", nothing) for _ in range(4)] == [404] * 3 + [429]


async def test_what_watches_the_process_is_not_limited(limited: Api) -> None:
    """Health, readiness and metrics answer however often they are asked."""
    for path in ("/healthz", "/metrics"):
        for _ in range(10):
            async with limited.client.get(path) as response:
                assert response.status == 200
