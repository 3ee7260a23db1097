"""Hints on workflows by the events that were seen: on types and on paths; none keeps one from being saved."""

from typing import Any

import pytest

from tests.admin.conftest import Api, User, draft
from tests.admin.test_event_types import api, types  # noqa: F401 - pytest finds the fixture by its name
from tests.admin.test_event_verdicts import put

CART = "com.shop.cart.abandoned"
DATA: dict[str, Any] = {
    "cart": {"total": 120, "items": [{"sku": "kettle"}], "prices": {"sku-1042": 7}},
    "customer": {"id": "c-1", "name": "Ada"},
}


async def seen(api: Api, *, count: int = 5) -> User:  # noqa: F811 - it is the fixture's value
    """Have so many carts be seen; return a user."""
    for _ in range(count):
        put(api, CART, data=DATA)
    user = api.user()
    assert CART in await types(user)
    return user


def condition(field: str) -> dict[str, Any]:
    """A condition on a field."""
    return {"field": field, "operator": ">", "value": 1}


async def test_a_type_that_was_seen_is_meant(api: Api) -> None:  # noqa: F811
    """It is no slip of the pen, however near it is to another; a slip of one that was seen is asked about."""
    put(api, "order.payed", "t.events.order")
    user = await seen(api, count=1)
    for kind, hints in (
        ("order.payed", []),
        (CART, []),
        (
            "com.shop.cart.abandond",
            [f"trigger.type: no event of com.shop.cart.abandond was seen lately; is {CART}, which was, meant?"],
        ),
        ("order.payd", ["trigger.type: order.payd is no known event type; is order.paid meant?"]),
        ("net.elsewhere.thing", []),
    ):
        made = await user.create(trigger={"type": kind}, conditions=[])
        shown = await user.call("GET", f"/api/v1/workflows/{made['id']}")
        assert (made["hints"], shown.json["hints"]) == (hints, hints), kind
        listed = await user.call("GET", "/api/v1/workflows?limit=1")
        assert listed.json["items"][0]["hints"] == hints


async def test_paths_that_no_event_has_are_asked_about(api: Api) -> None:  # noqa: F811
    """In conditions, however nested, and in plain templates; what is there, or may be, and what is no data, is not."""
    user = await seen(api)
    conditions = [
        condition("cart.total"), {"any": [condition("cart.totl"), {"not": condition("cart.items.3.sku")}]},
        condition("cart.prices.sku-77"), condition("event.subjct"), condition("elsewhere"),
    ]  # fmt: skip
    text = "Dear {{ customer.nme }}, {{ customer.name }}, {{ event.id }}, {{ results }}"
    wild = "{% for item in cart.itms %}{{ item.sku }}{% endfor %} {{ gone | default('x') }}"
    actions: list[dict[str, Any]] = [
        {"type": "send_sms", "config": {"to": "+4930901820", "text": text}, "conditions": [condition("results.0.x")]},
        {"type": "send_sms", "config": {"to": "+4930901820", "text": wild}},
        {"type": "webhook", "config": {"url": "https://a.example/x", "body": {"a": ["{{ cart.items }}", "{{ crt }}"]}}},
    ]
    numbered = [{**one, "order": number} for number, one in enumerate(actions, 1)]
    made = await user.create(trigger={"type": CART}, conditions=conditions, actions=numbered)
    told = [
        f"conditions[1].any[0].field: no {CART} that was seen lately has cart.totl; is cart.total meant?",
        f"conditions[4].field: no {CART} that was seen lately has elsewhere",
        f"actions[0].config.text: no {CART} that was seen lately has customer.nme; is customer.name meant?",
        f"actions[2].config.body.a[1]: no {CART} that was seen lately has crt; is cart meant?",
    ]
    assert made["hints"] == told


async def test_a_draft_has_hints_too_right_or_not(api: Api) -> None:  # noqa: F811
    """As it is saved while somebody writes; whatever stands in it."""
    user = await seen(api)
    made = await user.create()
    path, none = f"/api/v1/workflows/{made['id']}/draft", {"headers": {"If-Match": "*"}}
    body = draft(
        trigger={"type": CART}, conditions=[condition("cart.totl"), 7, {"field": 3}], actions=["x", {"config": 1}]
    )
    saved = await user.call("PUT", path, body, **none)
    assert saved.status == 200
    assert saved.json["hints"] == [
        f"conditions[0].field: no {CART} that was seen lately has cart.totl; is cart.total meant?"
    ]
    for odd in ({"trigger": 7}, {"trigger": {"type": ["x"]}}, {"conditions": {"a": 1}, "trigger": {"type": CART}}):
        assert (await user.call("PUT", path, odd, **none)).json["hints"] == []


@pytest.mark.parametrize("count", [0, 4])
async def test_few_events_tell_nothing_of_paths(api: Api, count: int) -> None:  # noqa: F811
    """What four events lack the fifth may have."""
    put(api, CART)
    user = await seen(api, count=max(0, count - 1))
    made = await user.create(trigger={"type": CART}, conditions=[condition("cart.totl")])
    assert made["hints"] == []
