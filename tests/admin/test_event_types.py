"""Event types as they were really seen: what is told, to whom, and how seldom Kafka is read for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from app.services.operations.event_types import FRESH_FOR_S
from app.services.operations.tail_look import MAX_TYPES
from app.settings import Settings
from tests.admin.conftest import Api, User, serving
from tests.admin.test_event_verdicts import fresh, put
from tests.admin.test_openapi import assert_as_described
from tests.support.waiting import eventually

PATH = "/api/v1/event-types"


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    """An API that has looked at nothing yet, and grants nothing to everybody."""
    async with serving(settings.model_copy(update={"user_permissions": "none"})) as running:
        yield running


async def types(user: User) -> dict[str, dict[str, Any]]:
    """Every type that is listed."""
    answer = await user.call("GET", PATH)
    assert_as_described(answer, "GET", PATH)
    return {one["type"]: one for one in answer.json["items"]}


async def one(user: User, kind: str) -> dict[str, Any]:
    """One type, whole."""
    answer = await user.call("GET", f"{PATH}/{kind}")
    assert_as_described(answer, "GET", f"{PATH}/{{type}}")
    assert answer.status == 200, answer
    shown: dict[str, Any] = answer.json
    return shown


def orders(api: Api, count: int, kind: str = "order.paid") -> None:
    """Put orders into their topic, the last of them the newest."""
    for number in range(count):
        order = {"id": f"o-{number}", "total": "19.90", "note": None, **({"gift": True} if number % 4 == 0 else {})}
        data = {"order": order, "customer": {"id": "c-1", "email": "ana@example.com"}}
        put(api, kind, api.settings.topic_prefix + "events.order", at=time.time() - 60 + number, data=data)


async def test_what_was_seen_of_a_type_is_told(api: Api) -> None:
    """How often and when last, with its fields; examples and samples for who may ``crm:read``."""
    orders(api, 8)
    reader = api.user("user", "crm:read")
    listed = (await types(reader))["order.paid"]
    shown = await one(reader, "order.paid")
    assert (listed["known"], listed["topic"], listed["seen"]["count"]) == (True, "t.events.order", 8)
    fields = {field["path"]: field for field in shown["seen"]["fields"]}
    assert list(fields) == [
        "order", "order.id", "order.total", "order.note", "order.gift", "customer", "customer.id", "customer.email",
    ]  # fmt: skip
    assert fields["order.gift"] == {
        "path": "order.gift", "types": ["boolean"], "present": 0.25, "nullable": False, "examples": [True],
    }  # fmt: skip
    assert (fields["order.note"]["types"], fields["order.note"]["nullable"]) == (["null"], True)
    assert (fields["order.total"]["format"], fields["order.total"]["examples"]) == ("decimal", ["19.90"])
    assert [sample["event"]["data"]["order"]["id"] for sample in shown["seen"]["samples"]] == ["o-7", "o-6", "o-5"]
    assert shown["seen"]["samples"][0]["event"]["data"]["order"]["note"] is None
    assert shown["seen"]["samples"][0]["received_at"] == shown["seen"]["last_seen"]
    assert [sample["event"]["data"]["order"]["id"] for sample in listed["seen"]["samples"]] == ["o-7"]


async def test_values_are_only_for_who_may_read_customers(api: Api) -> None:
    """Paths and types are for everybody; neither list nor detail has a value for who may not read customers."""
    order = {"order": {"total": "71.37", "by": {"zoe@shop.example": {"name": "Zoe Roth"}}}}
    put(api, "order.paid", "t.events.order", data=order)
    put(api, kind := fresh(), data=order)
    plain, admin = api.user(), api.user("admin")
    told, values = [], ("zoe@shop.example", "Zoe Roth", "71.37")
    for user in (plain, admin):
        answers = [await types(user), await one(user, "order.paid"), await one(user, kind)]
        told.append(orjson.dumps(answers).decode())
    assert [told[0].count("order.by.*.name"), told[1].count("order.by.*.name")] == [4, 4]
    assert [[value in one for value in values] for one in told] == [[False] * 3, [True] * 3]


async def test_types_that_are_not_known_are_listed_once_they_came(api: Api) -> None:
    """After those that are; one that neither is known nor came is 404, with the type that is perhaps meant."""
    put(api, "com.shop.cart.abandoned", data={"cart": {"total": 12}})
    user = api.user("user", "crm:read")
    listed = await types(user)
    assert list(listed)[-1] == "com.shop.cart.abandoned"
    assert (listed["com.shop.cart.abandoned"]["known"], "sample" in listed["com.shop.cart.abandoned"]) == (False, False)
    assert "seen" not in listed["order.paid"]
    assert (await one(user, "order.paid"))["sample"]["type"] == "order.paid"
    for missing, meant in (
        ("com.shop.cart.abandond", "com.shop.cart.abandoned"),
        ("order.payd", "order.paid"),
        ("x", ""),
    ):
        answer = await user.call("GET", f"{PATH}/{missing}")
        assert (answer.status, meant in answer.json["detail"]) == (404, True)
        assert_as_described(answer, "GET", f"{PATH}/{{type}}")


async def test_what_matchers_turn_away_and_runs_by_hand_are_not_seen(api: Api) -> None:
    """An event on another topic is none of its type; what somebody made up for a run is theirs alone."""
    odd, byhand = fresh(), fresh()
    put(api, odd, "t.events.order")
    put(api, byhand, "t.internal-events", source="/headrace/manual", workflowid="5f0c1a34-9a55-4a0c-8e37-1c7f5cbb3c11")
    api.event_topics.put("t.events.custom", b"k", b"no event", at=time.time())
    put(api, good := fresh())
    assert (await types(api.user("admin"))).keys() & {odd, byhand, good} == {good}


async def test_callers_share_a_look_and_cannot_make_another(api: Api) -> None:
    """However many ask at once or one after the other; a new one begins behind an answer, once the last is old."""
    kinds = [fresh() for _ in range(3)]
    put(api, kinds[0])
    users = [api.user() for _ in range(10)]
    assert all(kinds[0] in found for found in await asyncio.gather(*map(types, users)))
    put(api, kinds[1])
    for user in users:
        assert kinds[1] not in await types(user)
    assert api.event_topics.opened == 1
    api.now[0] += FRESH_FOR_S
    assert kinds[1] not in await types(users[0])
    await eventually(lambda: api.event_topics.looks == 0, what="the look")
    found = await types(users[1])
    assert (kinds[1] in found, found[kinds[0]]["seen"]["count"], api.event_topics.opened) == (True, 1, 2)
    api.event_topics.clear()
    put(api, kinds[2])
    api.now[0] += FRESH_FOR_S
    await types(users[0])
    await eventually(lambda: api.event_topics.looks == 0, what="the look")
    found = await types(users[1])
    assert (found[kinds[2]]["seen"]["count"], found[kinds[0]]["seen"]["count"]) == (1, 0)
    assert found[kinds[0]]["seen"]["last_seen"]


async def test_a_broker_that_is_away_leaves_what_is_known(api: Api) -> None:
    """The types are answered all the same, with the problem; and once it answers, what is there."""
    api.event_topics.reachable = False
    put(api, kind := fresh())
    user = api.user()
    answer = await user.call("GET", PATH)
    assert (answer.status, len(answer.json["items"]), "at" in answer.json["look"]) == (200, 21, False)
    assert answer.json["look"]["problem"] == "Kafka does not answer"
    api.event_topics.reachable = True
    api.now[0] += FRESH_FOR_S
    assert kind in await types(user)


async def test_hostile_events_make_no_unbounded_answer(api: Api) -> None:
    """Hundreds of types, thousands of keys, deep and long values: the list stays small, and says what it leaves out."""
    for number in range(3 * MAX_TYPES):
        keys = {f"k{number % 7}_{a}{b}": {"x" * 40: "y" * 500} for a in "abcdefgh" for b in "abcdefgh"}
        data = {"deep": _nested(50), "text": "z" * 5_000, **keys}
        event = {"specversion": "1.0", "id": "1", "source": "/evil", "type": f"evil.type{number}", "data": data}
        api.event_topics.put("t.events.custom", None, orjson.dumps(event), at=time.time(), partition=number % 2)
    admin = api.user("admin")
    async with admin.client.request("GET", PATH, headers={"Authorization": f"Bearer {admin.token}"}) as response:
        body = await response.read()
    assert len(body) < 2 * 1024 * 1024
    answer = orjson.loads(body)
    assert len(answer["items"]) == 21 + MAX_TYPES
    assert answer["look"]["types_left_out"] > 0
    shown = await one(admin, answer["items"][-1]["type"])
    assert len(orjson.dumps(shown)) < 256 * 1024
    assert shown["seen"]["samples"][0]["trimmed"] is True


def _nested(levels: int) -> dict[str, Any]:
    return {"a": _nested(levels - 1)} if levels else {}
