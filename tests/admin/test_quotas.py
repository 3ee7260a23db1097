"""Quotas of users at the API: a clear 409 or 429, also for those who try at the same moment."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.settings import Settings
from tests.admin.conftest import Answer, Api, User, draft, serving
from tests.support.hoarding import hoarding
from tests.support.records import cloud_event

ROOT = "/api/v1/workflows"


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    """Four workflows a user, two active ones of a trigger type, ten events a minute."""
    few = settings.model_copy(update={"workflows_per_user": 4, "active_per_trigger": 2, "events_per_minute": 10})
    async with serving(few) as api:
        yield api


async def activate(user: User, workflow: dict[str, Any]) -> Answer:
    """Switch a workflow on."""
    return await user.call("POST", f"{ROOT}/{workflow['id']}/activate")


async def test_a_user_has_so_many_workflows(api: Api) -> None:
    """The fifth is refused with both numbers; others have their own; one that is deleted makes room."""
    user = api.user()
    made = [await user.create() for _ in range(4)]
    answer = await user.call("POST", ROOT, draft())
    assert answer.status == 409
    assert "There are 4 workflows of this user, and 4 are allowed" in answer.json["detail"]
    assert len((await user.call("GET", ROOT)).json["items"]) == 4
    await api.user().create()
    await user.call("DELETE", f"{ROOT}/{made[0]['id']}")
    await user.create()


async def test_a_user_has_so_many_active_ones_of_a_trigger_type(api: Api) -> None:
    """The third is refused, and stays inactive; other types count apart; one that is switched off makes room."""
    user = api.user()
    one, two, three = [await user.create() for _ in range(3)]
    other = await user.create(trigger={"type": "order.created", "config": {}})
    assert [(await activate(user, one)).status for one in (one, two, other)] == [200] * 3
    answer = await activate(user, three)
    assert answer.status == 409
    assert "2 active workflows with the trigger order.paid of this user, and 2 are allowed" in answer.json["detail"]
    assert (await user.call("GET", f"{ROOT}/{three['id']}")).json["active"] is False
    assert (await activate(user, one)).status == 200
    await user.call("POST", f"{ROOT}/{one['id']}/deactivate")
    assert (await activate(user, three)).status == 200


async def test_no_lock_of_a_stranger_keeps_a_user_from_saving(api: Api, api_database: str) -> None:
    """Whoever has SQL as `authenticated` may take every lock that they are given, those of this owner's name too."""
    user = api.user()
    before = await user.create()
    owner = f"hashtextextended('headrace owner {user.id}', 0)"  # what was locked until migration 0045
    with hoarding(api_database, "authenticated", advisory=[owner]):
        assert (await user.call("POST", ROOT, draft())).status == 201
        assert (await activate(user, before)).status == 200


async def test_an_active_workflow_cannot_be_moved_to_a_full_type(api: Api) -> None:
    """By another trigger, in a PUT, a PATCH or a draft; what changes something else of it is taken."""
    user = api.user()
    one, two = [await user.create() for _ in range(2)]
    other = await user.create(trigger={"type": "order.created", "config": {}})
    for workflow in (one, two, other):
        await activate(user, workflow)
    path, any_version = f"{ROOT}/{other['id']}?publish=true", {"If-Match": "*"}
    trigger = {"type": "order.paid", "config": {}}
    assert (await user.call("PATCH", path, {"trigger": trigger}, headers=any_version)).status == 409
    drafted = f"{ROOT}/{other['id']}/draft"
    assert (await user.call("PATCH", drafted, {"trigger": trigger}, headers=any_version)).status == 200
    assert (await user.call("POST", f"{ROOT}/{other['id']}/publish", headers=any_version)).status == 409
    assert (await user.call("DELETE", drafted, headers=any_version)).status == 204
    assert (await user.call("PUT", path, draft(), headers=any_version)).status == 409
    assert (await user.call("PATCH", path, {"name": "Other"}, headers=any_version)).status == 200
    assert (
        await user.call("PATCH", f"{ROOT}/{one['id']}?publish=true", {"name": "One"}, headers=any_version)
    ).status == 200


async def test_those_who_try_at_once_do_not_both_pass(api: Api) -> None:
    """Eight at the same moment, two places: two pass, of those that are made and of those that are switched on."""
    user = api.user()
    made = [await user.create() for _ in range(2)]
    answers = await asyncio.gather(*(user.call("POST", ROOT, draft()) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] * 2 + [409] * 6
    made += [answer.json for answer in answers if answer.status == 201]
    switched = await asyncio.gather(*(activate(user, workflow) for workflow in made))
    assert sorted(answer.status for answer in switched) == [200, 200, 409, 409]


async def test_an_administrator_has_no_quota(api: Api) -> None:
    """Neither of workflows nor of events; nor for what they do of a user's."""
    admin, user = api.user("admin"), api.user()
    made = [await admin.create() for _ in range(5)]
    assert [(await activate(admin, workflow)).status for workflow in made] == [200] * 5
    theirs = [await user.create() for _ in range(3)]
    assert [(await activate(admin, workflow)).status for workflow in theirs] == [200] * 3
    answer = await admin.call("POST", "/api/v1/events", [cloud_event(id=str(number)) for number in range(50)])
    assert answer.status == 202


async def test_a_sender_has_so_many_events_a_minute(api: Api) -> None:
    """A batch counts each, and is taken whole or not at all, with the time to wait; others are not held back."""
    sender, other = (api.user("user", "events:write") for _ in range(2))

    async def send(who: User, count: int) -> Answer:
        events = [cloud_event(id=str(number)) for number in range(count)]
        return await who.call("POST", "/api/v1/events", events if count > 1 else events[0])

    assert [(await send(sender, count)).status for count in (7, 1)] == [202, 202]
    before = len(api.sender.records)
    answer = await send(sender, 3)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "6")
    assert "At most 10 events a minute" in answer.json["detail"]
    assert len(api.sender.records) == before
    assert (await send(sender, 2)).status == 202
    assert (await send(other, 10)).status == 202
    api.now[0] += 60
    assert (await send(sender, 10)).status == 202


async def test_a_batch_larger_than_the_quota_takes_longer_but_passes(api: Api) -> None:
    """Out of a full minute's quota; the next event then waits for all of it to be made up for."""
    sender = api.user("user", "events:write")
    events = [cloud_event(id=str(number)) for number in range(20)]
    assert (await sender.call("POST", "/api/v1/events", events)).status == 202
    api.now[0] += 60
    answer = await sender.call("POST", "/api/v1/events", events[0])
    assert (answer.status, answer.headers["Retry-After"]) == (429, "6")
    api.now[0] += 6
    assert (await sender.call("POST", "/api/v1/events", events[0])).status == 202
